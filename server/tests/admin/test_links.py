"""One-time links: they hold once, for ten minutes, among all processes that share a sidecar."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.admin.links import LIFETIME, Links, link_address
from wherry.errors import StartError

#: A process that claims codes as they come on its input, as soon as each comes, and says which were its.
CLAIM = """
import sys
from pathlib import Path
from wherry.admin.links import Links
links = Links(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    print(int(links.claim(line.strip())), flush=True)
"""


@pytest.fixture
def links(tmp_path: Path) -> Links:
    """The links of a sidecar that is not there yet."""
    return Links(tmp_path / "app.wherry")


def kept(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "app.wherry" / "links").iterdir())


def age(path: Path, seconds: float) -> None:
    """Let a link have been made some time ago."""
    made = path.stat().st_mtime - seconds
    os.utime(path, (made, made))


def test_a_link_holds_once(links: Links) -> None:
    code = links.make()
    assert [links.claim(code) for _ in range(3)] == [True, False, False]


def test_links_hold_beside_each_other(links: Links) -> None:
    codes = [links.make() for _ in range(5)]
    assert len(set(codes)) == 5
    assert [links.claim(code) for code in reversed(codes)] == [True] * 5


def test_another_process_may_claim_it(links: Links, tmp_path: Path) -> None:
    code = links.make()
    assert Links(tmp_path / "app.wherry").claim(code)
    assert not links.claim(code)


def test_a_link_ends_after_ten_minutes(links: Links, tmp_path: Path) -> None:
    for seconds, holds in ((LIFETIME - 5, True), (LIFETIME, False), (LIFETIME * 1000, False), (-LIFETIME - 5, False)):
        code = links.make()
        [file] = kept(tmp_path)
        age(file, seconds)
        assert links.claim(code) is holds
        assert kept(tmp_path) == []


def test_links_that_have_ended_are_removed_when_one_is_made(links: Links, tmp_path: Path) -> None:
    links.make()
    old = kept(tmp_path)
    code = links.make()
    age(old[0], LIFETIME)
    links.make()
    assert len(kept(tmp_path)) == 2
    assert not old[0].exists()
    assert links.claim(code)


def test_who_can_read_the_folder_cannot_sign_in(links: Links, tmp_path: Path) -> None:
    code = links.make()
    [file] = kept(tmp_path)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", code)
    assert re.fullmatch(r"[0-9a-f]{64}", file.name)
    assert file.read_bytes() == b""
    assert not links.claim(file.name)
    assert not links.claim(file.name[:43])
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, file.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]
    assert links.claim(code)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True))
def test_no_other_code_is_a_link(code: str) -> None:
    folder = Path(__file__).parent  # a folder that is there, without links
    assert not Links(folder).claim(code)


@pytest.mark.parametrize("code", ["", "..", "../app.db", "/etc/passwd", "a" * 42, "a" * 44, "ä" * 43, "a" * 42 + "\n"])
def test_what_is_no_code_names_no_file(links: Links, code: str) -> None:
    links.make()
    assert not links.claim(code)


def test_a_sidecar_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "app.wherry").touch()
    with pytest.raises(StartError) as caught:
        Links(tmp_path / "app.wherry").make()
    assert str(caught.value) == f"No link can be kept in {tmp_path}/app.wherry/links: File exists."


def test_a_link_is_an_address_whose_code_no_server_sees() -> None:
    assert [link_address(base, "c0de") for base in ("http://127.0.0.1:4000", "https://app.example.org/")] == [
        "http://127.0.0.1:4000/sign-in/#code=c0de",
        "https://app.example.org/sign-in/#code=c0de",
    ]


def test_of_several_processes_that_claim_a_link_at_once_one_gets_it(links: Links, tmp_path: Path) -> None:
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(tmp_path / "app.wherry")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for rival in rivals:
            assert rival.stdout is not None
            assert rival.stdout.readline() == "ready\n"
        won = []
        for _ in range(200):
            code = links.make()
            for rival in rivals:
                assert rival.stdin is not None
                rival.stdin.write(f"{code}\n")
                rival.stdin.flush()
            won.append([int(rival.stdout.readline()) for rival in rivals if rival.stdout])
    finally:
        for rival in rivals:
            rival.communicate()
    assert {sum(claims) for claims in won} == {1}
    assert {claims.index(1) for claims in won} != {0}  # they did race: it is not always the first to be told

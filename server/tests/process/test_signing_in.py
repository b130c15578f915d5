"""One-time links from the command line to the browser, through real servers that share a database."""

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import httpx
import pytest

from tests.process.conftest import SECRET, Running, Serve, Start, eventually, received
from tests.process.served import BASE, Served
from tests.process.test_command import wherry
from tests.studio.conftest import make_export
from wherry.admin import Links
from wherry.auth.keys import api_keys
from wherry.serving import listening_address

PRODUCTION = {"WHERRY_ENV": "production", "JWT_SECRET": SECRET}
_LINK = re.compile(r"(\S+)/sign-in/#code=([A-Za-z0-9_-]{43})\n?")


def code_of(link: str) -> str:
    """Return the code of a link."""
    match = _LINK.fullmatch(link)
    assert match is not None, link
    return match[2]


def sign_in(served: Served, code: str) -> httpx.Response:
    return httpx.post(f"{served.url}/api/admin/v1/sign-in", json={"code": code}, timeout=30, trust_env=False)


def test_a_link_from_the_command_line_signs_in_once(serve: Serve, database: Path) -> None:
    served = serve(database, workers=2, HOST="127.0.0.1", **PRODUCTION)
    code, output, errors = wherry("link", database, PORT="4000", **PRODUCTION)
    assert (code, output.rpartition("=")[0]) == (0, "http://127.0.0.1:4000/sign-in/#code")
    assert errors == "It signs in the first browser that opens it, within 10 minutes.\n"

    answers = [sign_in(served, code_of(output)) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 401, 401, 401]
    token = answers[0].json()["access_token"]
    with httpx.Client(headers={"authorization": f"Bearer {token}"}, trust_env=False) as client:
        assert client.get(f"{served.url}{BASE}/films").json() == [{"id": 1, "title": "M"}]
        health = client.get(f"{served.url}/api/admin/v1/health").json()
    assert (health["workers"], health["database"]["name"]) == (2, "app.db")
    assert served.end() == 0
    written = served.log.read_text() + served.errors.read_text()
    assert code_of(output) not in written
    assert token not in written


def test_whoever_makes_a_link_needs_no_secret(serve: Serve, database: Path) -> None:
    """The server signs; so the link's maker is whoever may write beside the database."""
    served = serve(database, **PRODUCTION)
    code, output, _ = wherry(
        "link", "--url", "https://app.example.org/", DATABASE_URL=str(database), NODE_ENV="production"
    )
    assert (code, output.startswith("https://app.example.org/sign-in/#code=")) == (0, True)
    assert sign_in(served, code_of(output)).status_code == 200


def test_of_browsers_that_race_over_two_servers_one_is_signed_in(serve: Serve, database: Path) -> None:
    servers = [serve(database, **PRODUCTION), serve(database, workers=2, **PRODUCTION)]
    links = Links(database.with_suffix(".wherry"))
    rivals = 6
    start = Barrier(rivals)
    codes = [links.make() for _ in range(20)]

    def race(rival: int) -> list[int]:
        statuses = []
        with httpx.Client(trust_env=False, timeout=30) as client:
            for code in codes:
                start.wait(30)
                url = f"{servers[rival % 2].url}/api/admin/v1/sign-in"
                statuses.append(client.post(url, json={"code": code}).status_code)
        return statuses

    with ThreadPoolExecutor(rivals) as pool:
        raced = list(pool.map(race, range(rivals)))
    assert [sorted(statuses) for statuses in zip(*raced, strict=True)] == [[200] + [401] * (rivals - 1)] * len(codes)
    assert list((database.with_suffix(".wherry") / "links").iterdir()) == []


def test_a_link_that_cannot_be_made_is_said(database: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    assert wherry("link", missing) == (
        1,
        "",
        f"wherry: {missing} does not exist; name an SQLite file, or set WHERRY_CREATE=on to have an empty one made.\n",
    )
    for url, said in {
        "app.example.org": "write an address that begins with http:// or https://.",
        "https://app.example.org/?a=b": "write it without a query and a fragment.",
        "https://app.example.org/#a": "write it without a query and a fragment.",
    }.items():
        assert wherry("link", database, "--url", url) == (1, "", f"wherry: --url is '{url}': {said}\n")
    assert wherry("link", database, PORT="0") == (
        1,
        "",
        "wherry: PORT is 0, so where the server listens is not known: say it with --url.\n",
    )
    assert wherry("link", database, NODE_ENV="production", JWKS_FILE="/etc/keys.json") == (
        1,
        "",
        "wherry: Only public keys are trusted here: sign in at the other issuer, or set JWT_SECRET.\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["app.db"]
    (tmp_path / "app.wherry").touch()
    assert wherry("link", database) == (
        1,
        "",
        f"wherry: No link can be kept in {tmp_path}/app.wherry/links: File exists.\n",
    )


@pytest.mark.parametrize(
    ("host", "base"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("db.example", "db.example")]
)
def test_a_link_leads_to_where_this_machine_reaches_the_server(database: Path, host: str, base: str) -> None:
    assert wherry("link", database, HOST=host, PORT="4001")[1].startswith(f"http://{base}:4001/sign-in/#code=")


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may become another")
def test_a_link_that_the_superuser_makes_is_the_files_owners(database: Path) -> None:
    """`sudo wherry link`: the server, which runs as another user, must be able to claim it."""
    nobody = 65534
    with TemporaryDirectory() as place:  # those of the tests are the superuser's alone
        mine = Path(shutil.copy(database, place))
        os.chown(place, nobody, nobody)
        os.chown(mine, nobody, nobody)

        code, output, _ = wherry("link", mine)

        folder = mine.with_suffix(".wherry") / "links"
        [link] = folder.iterdir()
        assert (code, bool(_LINK.fullmatch(output))) == (0, True)
        assert [path.stat().st_uid for path in (folder.parent, folder, link)] == [nobody] * 3


# The greeting in development


def started(start: Start, database: Path, **settings: str) -> Running:
    _, port = listening_address("127.0.0.1", 0)
    running = start(["-m", "wherry", "serve", str(database), "--port", str(port)], JWT_SECRET=SECRET, **settings)
    running.port = port
    eventually(running.answers)
    assert received(running.get("/readyz", "connection: close\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
    return running


def test_in_development_the_server_prints_a_link_to_its_pages(start: Start, database: Path, tmp_path: Path) -> None:
    running = started(start, database, WHERRY_STUDIO=str(make_export(tmp_path / "out")))
    address = f"http://127.0.0.1:{running.port}"
    [made] = (tmp_path / "app.wherry" / "links").iterdir()

    running.end()
    code, said = running.ended()

    keys = api_keys(SECRET)
    assert code == 0
    [link] = re.findall(r"  studio        (\S+)\n", said)
    assert said == (
        f"Wherry serves {database} on {address}\n"
        f"  policies      {database.parent}/policies.sql (no such file: only service_role reads and writes)\n"
        f"  anon          {keys['anon']}\n"
        f"  service_role  {keys['service_role']}\n"
        f"  studio        {link}\n"
        f"Try: curl {address}/api/rest/v1/ -H 'apikey: {keys['service_role']}'\n"
    )
    assert link.startswith(f"{address}/sign-in/#code=")
    assert Links(tmp_path / "app.wherry").claim(code_of(link))
    assert not made.exists()


def test_where_no_link_can_be_kept_the_pages_address_is_printed(start: Start, database: Path, tmp_path: Path) -> None:
    (tmp_path / "app.wherry").touch()
    running = started(start, database, WHERRY_STUDIO=str(make_export(tmp_path / "out")))
    running.end()
    code, said = running.ended()
    assert (code, f"  studio        http://127.0.0.1:{running.port}/\n" in said) == (0, True)


def test_in_production_no_link_is_made(start: Start, database: Path, tmp_path: Path) -> None:
    studio = str(make_export(tmp_path / "out"))
    running = started(start, database, WHERRY_STUDIO=studio, WHERRY_ENV="production", HOST="127.0.0.1")
    running.end()
    assert running.ended() == (0, "")
    assert not (tmp_path / "app.wherry" / "links").exists()

"""`.env.example` tells the settings as the server and the compose files declare them."""

import re
from pathlib import Path

from wherry.config import SETTINGS

ROOT = Path(__file__).parents[2]
#: Its parts: how it is used, the server's settings, what the compose files read besides.
HOW_TO, SERVER, CONTAINERS = (ROOT / ".env.example").read_text(encoding="utf-8").split("\n# ---- ")

#: A variable in a compose file, which begins a default or a condition, or ends, or is passed on by its bare name.
_INTERPOLATED = re.compile(r"\$\{([A-Z_]+)(?::?[-+?]([^${}]*))?")
_PASSED_ON = re.compile(r"^      ([A-Z_]+):$", re.MULTILINE)


def told(part: str) -> list[tuple[str, str, str]]:
    """Return name, default and meaning of what a part shows."""
    blocks = [block.strip() for block in part.split("\n\n")[1:]]
    read = [re.fullmatch(r"# (.*)\n#(\w+)=(.*)", block, re.DOTALL) for block in blocks]
    assert [block for block, match in zip(blocks, read, strict=True) if match is None] == []
    return [(name, default, meaning.replace("\n# ", " ")) for meaning, name, default in (m.groups() for m in read if m)]


def compose_variables() -> dict[str, set[str]]:
    """Return the variables that the compose files read, with the defaults that they give them."""
    found: dict[str, set[str]] = {}
    for path in sorted(ROOT.glob("docker-compose*.yml")):
        text = path.read_text(encoding="utf-8")
        for name, default in _INTERPOLATED.findall(text):
            found.setdefault(name, set()).add(default)
        for name in _PASSED_ON.findall(text):
            found.setdefault(name, set())
    return found


def test_the_example_names_every_setting_with_its_default_and_meaning() -> None:
    assert told(SERVER) == [(setting.name, setting.default, setting.meaning) for setting in SETTINGS]


def test_the_example_names_every_variable_of_the_compose_files_with_its_default() -> None:
    settings = {setting.name for setting in SETTINGS}
    read = {name: defaults for name, defaults in compose_variables().items() if name not in settings}
    shown = {name: default for name, default, _ in told(CONTAINERS)}
    assert set(shown) == set(read)
    assert {name: (shown[name], defaults) for name, defaults in read.items() if not defaults <= {shown[name], ""}} == {}


def test_every_setting_can_be_given_to_the_container() -> None:
    fixed = {"HOST", "PORT", "WHERRY_STUDIO"}
    assert {setting.name for setting in SETTINGS} - set(compose_variables()) == fixed


def test_only_the_environment_is_set() -> None:
    lines = f"{HOW_TO}{SERVER}{CONTAINERS}".splitlines()
    assert [line for line in lines if line and not line.startswith("#") and "=" in line] == ["WHERRY_ENV=development"]

"""`.env.example` tells the settings as the server declares them."""

import re
from pathlib import Path

from wherry.config import SETTINGS

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_the_example_names_every_setting_with_its_default_and_meaning() -> None:
    blocks = EXAMPLE.read_text(encoding="utf-8").split("\n\n")[1:]
    told = [re.fullmatch(r"# (.*)\n#(\w+)=(.*)", block.strip(), re.DOTALL) for block in blocks]
    assert [
        (name, default, meaning.replace("\n# ", " ")) for meaning, name, default in (m.groups() for m in told if m)
    ] == [(setting.name, setting.default, setting.meaning) for setting in SETTINGS]

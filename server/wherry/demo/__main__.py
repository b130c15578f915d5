"""`python -m wherry.demo PATH` makes the demonstration's database at PATH."""

import sys
from pathlib import Path

from wherry.demo import build
from wherry.errors import StartError


def main(arguments: list[str]) -> int:
    """Make the database that the one argument names; return the exit code."""
    if len(arguments) != 1:
        print("usage: python -m wherry.demo PATH", file=sys.stderr)
        return 2
    try:
        build(Path(arguments[0]))
    except StartError as error:
        print(f"wherry: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The files of Studio's static export, read once: each with its compressed copies and the hashes of its inline scripts.

What the folder holds:

- `index.html`, and a folder with an `index.html` for each page;
- beside a text its compressed copies, made at the build: `app.js.br` and `app.js.gz`;
- `.csp.json`, with the inline scripts that a page may run: `{"/index.html": ["sha256-…"]}`. A page that is not named
  there may run none;
- no other file whose name begins with a dot is served, and no symbolic link is followed.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from wherry.errors import StartError
from wherry.studio.codings import BROTLI, GZIP, IDENTITY

#: Bytes of an export that may be kept in memory: more is no export, but a folder that was named by mistake.
LARGEST: Final = 64 * 1024 * 1024

_HASHES: Final = ".csp.json"
_HASH = re.compile(r"sha(256|384|512)-[A-Za-z0-9+/_-]{43,86}={0,2}").fullmatch
_COPIES: Final = {".br": BROTLI, ".gz": GZIP}
_INSTEAD: Final = "name the folder of the web client's export, or off."


@dataclass(frozen=True, slots=True)
class File:
    """A file: `path` as a URL has it (`/tables/index.html`), `bodies` by their codings, the most compressed first."""

    path: str
    bodies: Mapping[bytes, bytes]
    script_hashes: tuple[str, ...] = ()


def has_export(folder: Path) -> bool:
    """Tell whether the folder holds an export."""
    return os.path.isfile(folder / "index.html")  # noqa: PTH113 - Path.is_file raises where a folder may not be entered


def read_export(folder: Path) -> tuple[File, ...]:
    """Read the files of an export. Raises StartError where the folder holds none, or one that cannot be read."""
    if not has_export(folder):
        missing = "holds no index.html" if os.path.lexists(folder) else "does not exist"
        raise StartError(f"WHERRY_STUDIO is {folder}, which {missing}: {_INSTEAD}")
    hashes = _read_hashes(folder / _HASHES)
    found: dict[str, bytes] = {}
    size = 0
    for path in _files(folder):
        found[f"/{path.relative_to(folder).as_posix()}"] = body = _read(path)
        size += len(body)
        if size > LARGEST:
            raise StartError(f"WHERRY_STUDIO is {folder}, which holds more than {LARGEST >> 20} MB: {_INSTEAD}")
    return tuple(
        File(path, _bodies(path, found), tuple(hashes.get(path, ())))
        for path in sorted(found)
        if not _is_copy(path, found)
    )


def _files(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(at, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def _is_copy(path: str, found: Mapping[str, bytes]) -> bool:
    return any(path.endswith(ending) and path.removesuffix(ending) in found for ending in _COPIES)


def _bodies(path: str, found: Mapping[str, bytes]) -> dict[bytes, bytes]:
    copies = {coding: found[path + ending] for ending, coding in _COPIES.items() if path + ending in found}
    return {**copies, IDENTITY: found[path]}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        _unreadable(error)


def _unreadable(error: OSError) -> NoReturn:
    raise StartError(f"{error.filename}, a part of WHERRY_STUDIO, cannot be read: {error.strerror}.") from error


def _read_hashes(path: Path) -> dict[str, list[str]]:
    """Return the hashes of each page's inline scripts; what is no hash must not get into a policy."""
    if not path.exists():
        return {}
    try:
        hashes = msgspec.json.decode(_read(path), type=dict[str, list[str]])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StartError(f"{path} is not a JSON object of pages and the hashes of their scripts: {error}.") from error
    for page, of_page in hashes.items():
        for written in of_page:
            if not _HASH(written):
                raise StartError(f"{path} has for {page} {written!r}, which is not a hash like sha256-….")
    return hashes

"""The file `policies.sql`: its text and version, and whether it changed."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final, TypeAlias

from wherry.errors import WherryError
from wherry.policies.refused import PoliciesError, Position

#: Bytes that policies may have; some thousands of statements, and read in a moment.
LARGEST: Final = 1024 * 1024

#: What tells one state of the file from another without reading it; None where there is no file.
Stamp: TypeAlias = tuple[int, int, int] | None


class PoliciesUnreadable(WherryError):
    """The file is there and cannot be read; the message is the operator's."""


@dataclass(frozen=True, slots=True)
class PoliciesFile:
    """Where the policies stand."""

    path: Path

    def stamp(self) -> Stamp:
        """Return the file's inode, size and time of change, for a comparison; `read` says what is wrong with it."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return -(error.errno or 1), 0, 0
        return status.st_ino, status.st_size, status.st_mtime_ns

    def read(self) -> tuple[str, str] | None:
        """Return the text and its version, None where there is no file.

        Raises PoliciesUnreadable where it cannot be read, PoliciesError where it is not UTF-8.
        """
        try:
            content = self._content()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PoliciesUnreadable(f"{self.path} cannot be read: {error.strerror}") from error
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise PoliciesError("the file is not UTF-8 text", Position(line, 1), file=self.path.name) from error
        return text, blake2b(content, digest_size=8).hexdigest()

    def _content(self) -> bytes:
        # A named pipe would be waited for, and what has no end never be read.
        kind = self.path.stat().st_mode
        if not (S_ISREG(kind) or S_ISDIR(kind)):
            raise PoliciesUnreadable(f"{self.path} cannot be read: Not a regular file")
        with self.path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise PoliciesUnreadable(f"{self.path} is larger than {LARGEST} bytes")
        return content

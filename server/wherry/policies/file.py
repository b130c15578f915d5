"""The file `policies.sql`: its text and version, and whether it changed."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TypeAlias

from wherry.errors import WherryError
from wherry.policies.refused import PoliciesError, Position

#: What tells one state of the file from another without reading it; None where there is no file.
Stamp: TypeAlias = tuple[int, int, int] | None


class PoliciesUnreadable(WherryError):
    """The file is there and cannot be read; the message is the operator's."""


@dataclass(frozen=True, slots=True)
class PoliciesFile:
    """Where the policies stand."""

    path: Path

    def stamp(self) -> Stamp:
        """Return the file's inode, size and time of change, for a comparison. Raises PoliciesUnreadable."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PoliciesUnreadable(f"{self.path} cannot be read: {error.strerror}") from error
        return status.st_ino, status.st_size, status.st_mtime_ns

    def read(self) -> tuple[str, str] | None:
        """Return the text and its version, None where there is no file.

        Raises PoliciesUnreadable where it cannot be read, PoliciesError where it is not UTF-8.
        """
        try:
            content = self.path.read_bytes()
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

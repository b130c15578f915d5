"""Why `policies.sql` cannot be used: one sentence and where it is wrong."""

from dataclasses import dataclass

from wherry.errors import WherryError


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the file; both numbers count from 1, columns in characters."""

    line: int
    column: int


class PoliciesError(WherryError):
    """The text of the policies cannot be used; `str` gives `policies.sql:12:5: what is wrong (what to write)`."""

    def __init__(self, message: str, at: Position, *, hint: str | None = None, file: str = "policies.sql") -> None:
        super().__init__(message)
        self.message = message
        self.line = at.line
        self.column = at.column
        self.hint = hint
        self.file = file

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"

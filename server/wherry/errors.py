"""Every error that Wherry answers or exits with, as one tree.

    WherryError
    ├── StartError              the server cannot start: one sentence for the operator, exit code 1
    │   └── FileReplaced        it cannot go on: its path leads to another file, or to none
    ├── SchemaChanged           the schema is no longer the one that was planned with: read it again and plan again
    ├── WriteUndone             a write was undone for what it would have done: rows forbidden, too many, not one
    ├── ClientGone              the client closed the connection: nobody is left to answer
    ├── StatementRefused        SQLite cannot prepare a statement of the operator's: an expression of policies.sql
    └── ApiError                a request cannot be served: {code, message, details, hint} and a status
        ├── RequestError        400  PGRST100…  the words of the request cannot be parsed
        │   ├── PreferenceError 400  PGRST122   handling=strict and a preference that is not known
        │   ├── RangeError      416  PGRST103   the offset lies past the last row
        │   ├── NotAcceptable   406  PGRST107   none of the asked media types can be produced
        │   ├── UnknownProfile  406  PGRST106   a schema that is not served
        │   └── TooLarge        413  PGRST102   the body is larger than the server takes
        ├── SchemaError         400  PGRST2xx   a name that the schema (as the role sees it) does not have
        ├── TokenError          401  PGRST3xx   the token cannot be trusted
        ├── SignInRefused       401  28P01      a one-time link cannot be used
        ├── AccessDenied        403  42501      the role may not; 401 when the role is `anon`
        ├── CardinalityError    406  PGRST116   a singular response was asked and there is not one row
        ├── MaxAffectedError    400  PGRST124   more rows affected than the caller allowed
        ├── DatabaseError       …    SQLSTATE   SQLite refused the statement
        │   ├── ConstraintError 400/409 23xxx   a constraint of the schema was violated
        │   ├── StatementTimeout 504  57014     the statement ran over its time limit
        │   └── DatabaseBusy    503  55P03      another process holds the file; `Retry-After` says when to come back
        └── MethodNotAllowed    405  PGRST117   the resource has no such method

The body is PostgREST's (https://docs.postgrest.org/en/stable/references/errors.html): `message` says what is
wrong in the client's own words, `details` where, `hint` what to write instead.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

Details: TypeAlias = str | Sequence[Mapping[str, str]] | None


class WherryError(Exception):
    """The root: whatever Wherry raises on purpose."""


class StartError(WherryError):
    """The server cannot start; the message is the whole sentence that the operator reads."""


class FileReplaced(StartError):
    """The server cannot go on: the path of the served file leads to another file, or to none."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"{path} was replaced, moved or deleted while it was served: start the server again for what is there now."
        )


class SchemaChanged(WherryError):
    """The file's schema is no longer the one that the statement was planned with; nothing happened."""


class WriteUndone(WherryError):
    """A write was undone before its commit; `reason` says what it would have done, `affected` to how many rows.

    `check` is what the check of the first forbidden row gave.
    """

    def __init__(self, reason: "UndoReason", affected: int, check: int = 0) -> None:
        super().__init__(f"{reason} ({affected} rows)")
        self.reason = reason
        self.affected = affected
        self.check = check


class ClientGone(WherryError):
    """The client closed the connection before its request was read or answered."""


class StatementRefused(WherryError):
    """SQLite cannot prepare a statement; `offset` is where in its text, in bytes of UTF-8, if SQLite says so."""

    def __init__(self, message: str, *, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class UndoReason(StrEnum):
    """Why a write was undone."""

    FORBIDDEN = "a row does not satisfy the policies"
    TOO_MANY = "more rows than max_affected"
    NOT_EXACTLY = "not exactly the number of rows asked for"


class ApiError(WherryError):
    """A request that gets an error for an answer; becomes the JSON body and the status of the response."""

    status: int = 500
    code: str = "PGRSTX00"
    #: Response headers that go with the error, in lower case.
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        message: str,
        *,
        details: Details = None,
        hint: str | None = None,
        code: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.hint = hint
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status

    def body(self) -> dict[str, Details]:
        """Return the four members of PostgREST's error body."""
        return {"code": self.code, "message": self.message, "details": self.details, "hint": self.hint}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.status}, {self.code}, {self.message!r})"


class RequestError(ApiError):
    """The request's words cannot be parsed."""

    status = 400
    code = "PGRST100"


class PreferenceError(RequestError):
    """`Prefer: handling=strict` and a preference that is not known."""

    code = "PGRST122"


class RangeError(RequestError):
    """The asked range starts past the last row, or ends before it starts."""

    status = 416
    code = "PGRST103"


class NotAcceptable(RequestError):
    """None of the media types in `Accept` can be produced."""

    status = 406
    code = "PGRST107"


class UnknownProfile(RequestError):
    """`Accept-Profile` or `Content-Profile` names a schema that is not served."""

    status = 406
    code = "PGRST106"


class TooLarge(RequestError):
    """The body is larger than the server takes."""

    status = 413
    code = "PGRST102"


class MethodNotAllowed(ApiError):
    """The resource has no such method; `allow` lists those that it has, where they are always the same."""

    status = 405
    code = "PGRST117"

    def __init__(
        self, message: str, *, allow: str | None = None, hint: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        if allow is not None:
            self.headers = {"allow": allow}


class SchemaError(ApiError):
    """A name that the schema, as far as the role may see it, does not have."""

    status = 400
    code = "PGRST200"


class TokenError(ApiError):
    """The token cannot be trusted: PGRST301 cannot be decoded, PGRST303 its claims do not hold.

    The challenge repeats the message, as RFC 6750 has it; so the message holds nothing that the caller wrote.
    """

    status = 401
    code = "PGRST301"

    def __init__(
        self, message: str, *, code: str | None = None, details: Details = None, hint: str | None = None
    ) -> None:
        super().__init__(message, code=code, details=details, hint=hint)
        challenge = f'Bearer error="invalid_token", error_description="{message}"'
        self.headers = {"www-authenticate": challenge}


class SignInRefused(ApiError):
    """A one-time link cannot be used; the answer does not say whether there ever was one."""

    status = 401
    code = "28P01"
    headers = MappingProxyType({"www-authenticate": "Bearer"})


class AccessDenied(ApiError):
    """The role may not do this; PostgREST answers 401 to a caller who is not signed in and 403 to others."""

    status = 403
    code = "42501"

    def __init__(self, message: str, *, role: str, details: Details = None, hint: str | None = None) -> None:
        super().__init__(message, details=details, hint=hint, status=401 if role == "anon" else 403)
        if role == "anon":
            self.headers = {"www-authenticate": "Bearer"}


class CardinalityError(ApiError):
    """A singular response was asked and the result has not exactly one row."""

    status = 406
    code = "PGRST116"


class MaxAffectedError(ApiError):
    """More rows would be affected than `Prefer: max-affected` allows."""

    status = 400
    code = "PGRST124"


class DatabaseError(ApiError):
    """SQLite refused a statement; `code` is the SQLSTATE that PostgreSQL would give."""

    status = 400
    code = "XX000"


class ConstraintError(DatabaseError):
    """A constraint of the schema was violated; `code` says which kind.

    `subject` is what SQLite names: `films.title, films.year` for UNIQUE, `films.title` for NOT NULL, the
    constraint's name or expression for CHECK, empty for FOREIGN KEY.
    """

    code = "23000"

    def __init__(self, message: str, *, code: str, subject: str, status: int = 400, hint: str | None = None) -> None:
        super().__init__(message, code=code, status=status, hint=hint)
        self.subject = subject


class StatementTimeout(DatabaseError):
    """The statement ran over its time limit and was interrupted; nothing was written."""

    status = 504
    code = "57014"


class DatabaseBusy(DatabaseError):
    """Another process holds the file, or too many writes wait; the same request may succeed later."""

    status = 503
    code = "55P03"
    headers = MappingProxyType({"retry-after": "1"})

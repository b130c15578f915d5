"""Where the secret comes from, and the two keys that are made with it.

The secret that signs and verifies tokens is

1. `JWT_SECRET`;
2. else what the file `JWT_SECRET_FILE` holds, without the white space around it;
3. else, in development, made once and kept in the sidecar as `jwt_secret`, readable by its owner alone;
4. else, in production, none: which is allowed only where public keys (JWKS) verify the tokens.

The `anon` and `service_role` keys are tokens without a user, as the Supabase clients take them. They are the same
each time they are asked for: they are issued at the beginning of the current decade and expire twenty years later.

Who signs in to Studio with a one-time link gets a `service_role` token of their own, for twelve hours.
"""

import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from wherry.auth.tokens import check_secret, sign
from wherry.config import Settings
from wherry.errors import StartError
from wherry.identity import ANON, SERVICE_ROLE

#: Seconds that somebody who signed in to Studio stays so: a working day.
SESSION_SECONDS = 12 * 60 * 60

_ISSUER = "wherry"
_KEPT_AS = "jwt_secret"


def load_secret(settings: Settings, *, may_forget: bool = False) -> str | None:
    """Return the secret, None in production where public keys take its place.

    `may_forget` makes one for this process alone where none can be kept, as on a read-only disk. Raises StartError
    where there is none, it is too short, or its file cannot be read or made.
    """
    secret = _find_secret(settings, may_forget=may_forget)
    if secret is not None:
        check_secret(secret)
    return secret


def api_keys(secret: str, now: datetime | None = None) -> dict[str, str]:
    """Return the keys by their roles; each is valid for ten years or more. Raises StartError for a short secret."""
    year = (now or datetime.now(UTC)).year // 10 * 10
    issued, expires = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 20))
    return {
        role: sign({"role": role, "iss": _ISSUER, "iat": issued, "exp": expires}, secret)
        for role in (ANON, SERVICE_ROLE)
    }


def session_token(secret: str, now: int) -> str:
    """Return a token of the service role for a session that begins now, in seconds of the epoch."""
    return sign({"role": SERVICE_ROLE, "iss": _ISSUER, "iat": now, "exp": now + SESSION_SECONDS}, secret)


def can_sign(settings: Settings) -> bool:
    """Tell whether a server with these settings signs tokens: not where it trusts public keys alone."""
    return not (
        settings.production
        and settings.jwt_secret is None
        and settings.jwt_secret_file is None
        and (settings.jwks_url is not None or settings.jwks_file is not None)
    )


def _find_secret(settings: Settings, *, may_forget: bool) -> str | None:
    if settings.jwt_secret is not None:
        return settings.jwt_secret
    if settings.jwt_secret_file is not None:
        return _read_secret(settings.jwt_secret_file, "JWT_SECRET_FILE")
    if not settings.production:
        return _kept_secret(settings.sidecar, may_forget=may_forget)
    if settings.jwks_url is not None or settings.jwks_file is not None:
        return None
    raise StartError(
        "No JWT secret is set: in production set JWT_SECRET or JWT_SECRET_FILE, "
        "or JWKS_URL or JWKS_FILE to trust the tokens of another issuer."
    )


def _kept_secret(sidecar: Path, *, may_forget: bool) -> str:
    path = sidecar / _KEPT_AS
    secret = secrets.token_urlsafe(48)
    try:
        if not path.exists():
            sidecar.mkdir(mode=0o700, exist_ok=True)
            _create(path, secret)
    except OSError as error:
        if may_forget:
            return secret
        raise StartError(
            f"No JWT secret is set, and none can be kept in {path}: {error.strerror}; set JWT_SECRET."
        ) from error
    return _read_secret(path, "The kept JWT secret")


def _create(path: Path, secret: str) -> None:
    """Create the file with its content in one step, or leave the one that another process has just created."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _read_secret(path: Path, origin: str) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise StartError(f"{origin} ({path}) is not UTF-8 text.") from error
    except OSError as error:
        raise StartError(f"{origin} ({path}) cannot be read: {error.strerror}.") from error
    if not secret:
        raise StartError(f"{origin} ({path}) is empty.")
    return secret

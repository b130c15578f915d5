"""Text that clients sent, made fit for a line of the log: in one piece, not too long, without secrets."""

import re
from json import dumps
from urllib.parse import quote_from_bytes, unquote_to_bytes

from msgspec.json import encode

LONGEST_URL = 2048
CENSORED = "[Redacted]"  #: pino's word

_PLAIN = bytes(code for code in range(0x21, 0x7F) if chr(code) not in '"\\%')
_URL_CHARACTERS = bytes(code for code in range(0x21, 0x7F) if chr(code) not in '"\\').decode()
_ENCODED_LETTER = re.compile("%[4-7]").search
_SECRET_NAME = re.compile(rb"token|api_?key|secret|passw|jwt|authorization")
_JWT = re.compile(r"eyJ[A-Za-z0-9_%-]{8,}(?:\.[A-Za-z0-9_%-]*)*")


def url(path: bytes, query: bytes) -> str:
    """Return a URL as the log shows it: printable ASCII without quotes, secrets censored, not too long."""
    target = path + b"?" + query if query else path
    unusual = target.translate(None, _PLAIN)
    if len(target) <= LONGEST_URL and not unusual.strip(b"%"):
        text = target.decode("ascii")
        if not (unusual and _ENCODED_LETTER(text)) and not _may_hold_a_secret(text.lower()):
            return text
    return _careful_url(path, query)


def _may_hold_a_secret(text: str) -> bool:
    """Tell whether it is worth looking closer; written out because this is a third of a request's line."""
    return (
        "token" in text
        or "key" in text
        or "secret" in text
        or "passw" in text
        or "jwt" in text
        or "authoriz" in text
        or "eyj" in text
    )


def _careful_url(path: bytes, query: bytes) -> str:
    """Return a URL as the log shows it, looking at each parameter."""
    text = _url_encoded(path[:LONGEST_URL])
    if query:
        parts = [_censored(part) for part in query[:LONGEST_URL].split(b"&")]
        text += "?" + "&".join(parts)
    text = censor_tokens(text)
    return text if len(text) <= LONGEST_URL else text[: LONGEST_URL - 3] + "..."


def _censored(part: bytes) -> str:
    name, equals, _ = part.partition(b"=")
    if equals and _SECRET_NAME.search(unquote_to_bytes(name).lower()):
        return f"{_url_encoded(name)}={CENSORED}"
    return _url_encoded(part)


def _url_encoded(part: bytes) -> str:
    return quote_from_bytes(part, safe=_URL_CHARACTERS)


def censor_tokens(text: str) -> str:
    """Return text without what looks like a JWT."""
    return _JWT.sub(CENSORED, text)


def quoted(text: str, longest: int) -> str:
    """Return text as a JSON string of at most `longest` bytes, without its end where it is longer."""
    while len(string := json(text).encode()) > longest:
        text = text[: len(text) * 3 // 4] + "…" if len(text) > 4 else ""
    return string.decode()


def shortened(text: str, longest: int) -> str:
    """Return text that is at most `longest` bytes as a JSON string, without its beginning where it is longer."""
    while len(json(text).encode()) > longest:
        text = "…" + text[len(text) // 4 + 2 :]
    return text


def json(value: object) -> str:
    """Return a value as JSON, in one line."""
    try:
        return encode(value).decode()
    except UnicodeEncodeError:  # half a surrogate pair has no UTF-8, but an escape
        return dumps(value)

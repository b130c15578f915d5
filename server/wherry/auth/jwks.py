"""Fetch the public keys, again and again, on a thread of its own.

The keys of an issuer change: they are read at start, every ten minutes, and at once when a token names a key that is
not there, but for such tokens at most every thirty seconds, because anybody can send them. What cannot be read or used
leaves the last good keys in force, is said, and is tried again: after a second, then two, up to thirty.
"""

from collections.abc import Callable
from http.client import HTTPException
from math import inf
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from wherry.auth.tokens import TokenVerifier
from wherry.config import Settings
from wherry.errors import StartError
from wherry.observe import Emit, KeysLoaded, KeysRefused

#: Seconds between two reads without a reason, and between two for tokens that name an unknown key.
REFRESH = 600.0
SHORTEST_PAUSE = 30.0
#: Seconds after which a read that failed is tried again, at first.
FIRST_RETRY = 1.0
#: Seconds that the issuer may take, and bytes that a key set may have.
PATIENCE = 10.0
LARGEST_KEY_SET = 1024 * 1024


def trust_issuer(verifier: TokenVerifier, settings: Settings, emit: Emit) -> "KeyRefresher | None":
    """Let the verifier trust the issuer of the settings, if there is one; the caller starts what is returned.

    Raises StartError for a file that is no key set. An address may be away at start: it is asked again.
    """
    source = settings.jwks_file or settings.jwks_url
    if source is None:
        return None
    if isinstance(source, Path):
        verifier.trust(read_key_set(source))
    refresher = KeyRefresher(source, verifier.trust, emit)
    verifier.unknown_key = refresher.ask
    return refresher


class KeyRefresher:
    """Hands the key set of `source` (an http or https address, or a file) to `trust` whenever it is read.

    It is a class because it owns a thread. `trust` is called on that thread and raises StartError for what is no key
    set; it returns the number of keys.
    """

    def __init__(
        self,
        source: str | Path,
        trust: Callable[[bytes], int],
        emit: Emit,
        *,
        refresh: float = REFRESH,
        shortest_pause: float = SHORTEST_PAUSE,
    ) -> None:
        self._source = source
        self._trust = trust
        self._emit = emit
        self._refresh = refresh
        self._shortest_pause = shortest_pause
        self._asked = Event()
        self._closed = Event()
        self._thread = Thread(target=self._run, name="wherry-jwks", daemon=True)

    def start(self) -> None:
        """Read the keys, and go on."""
        self._thread.start()

    def ask(self) -> None:
        """Read the keys again soon, as a token names one that is not there; returns at once."""
        self._asked.set()

    def close(self) -> None:
        """End the thread; a read under way is not waited for."""
        self._closed.set()
        self._asked.set()

    def _run(self) -> None:
        last_asked = -inf
        retry = first_retry = min(FIRST_RETRY, self._shortest_pause)
        while not self._closed.is_set():
            self._asked.clear()
            if not self._load():
                self._closed.wait(retry)
                retry = min(2 * retry, self._shortest_pause)
                continue
            retry = first_retry
            if self._asked.wait(self._refresh):
                self._closed.wait(max(last_asked + self._shortest_pause - monotonic(), 0))
                last_asked = monotonic()

    def _load(self) -> bool:
        try:
            count = self._trust(read_key_set(self._source))
        except StartError as error:
            self._emit(KeysRefused(str(self._source), str(error)))
            return False
        self._emit(KeysLoaded(str(self._source), count))
        return True


def read_key_set(source: str | Path) -> bytes:
    """Return the text of a key set from its file or address. Raises StartError."""
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                key_set = file.read(LARGEST_KEY_SET + 1)
        except OSError as error:
            raise StartError(f"The key set {source} cannot be read: {error.strerror}.") from error
    else:
        key_set = _fetch(source)
    if len(key_set) > LARGEST_KEY_SET:
        raise StartError(f"The key set {source} is larger than {LARGEST_KEY_SET} bytes.")
    return key_set


def _fetch(address: str) -> bytes:
    headers = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "wherry"}
    try:
        # The settings take http and https addresses only.
        with urlopen(Request(address, headers=headers), timeout=PATIENCE) as response:  # noqa: S310
            body: bytes = response.read(LARGEST_KEY_SET + 1)
            return body
    except (OSError, HTTPException, ValueError) as error:  # URLError, timeouts and lost connections are OSErrors
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(error, HTTPError):
            error.close()
        raise StartError(f"The key set {address} cannot be fetched: {reason}.") from error

"""One-time links: whoever may write beside the database makes one, and the browser that opens it first is signed in.

A link is `<base>/sign-in/#code=<code>`. The code stands in the fragment, which a browser sends to nobody, so it gets
into no log; the page posts it. It is 256 random bits.

What is kept of a link is an empty file in the sidecar's folder `links`, named by the code's SHA-256: who can read the
folder cannot sign in. So a link holds for every process and replica that shares the sidecar, and only once: to claim
it is to remove the file, which the kernel lets one of several do. It ends ten minutes after the file was made.
"""

import os
import re
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from time import time
from typing import Final

from wherry.errors import StartError

#: Seconds that a link can be used.
LIFETIME: Final = 600

_CODE = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch  # 32 bytes in base64url


class Links:
    """The links of one sidecar; a class because making and claiming must mean the same folder."""

    def __init__(self, sidecar: Path) -> None:
        self._sidecar = sidecar
        self._folder = sidecar / "links"

    def make(self) -> str:
        """Return the code of a new link, after removing those that have ended. Raises StartError."""
        code = secrets.token_urlsafe(32)
        try:
            self._sidecar.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._sweep()
            os.close(os.open(self._path(code), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise StartError(f"No link can be kept in {self._folder}: {error.strerror}.") from error
        return code

    def claim(self, code: str) -> bool:
        """Tell whether the code is that of a link which can be used, and was never claimed before; now it was."""
        if not _CODE(code):
            return False
        path = self._path(code)
        try:
            can_be_used = _can_be_used(path)
            path.unlink()
        except OSError:  # there is none, or another was faster
            return False
        return can_be_used

    def _path(self, code: str) -> Path:
        return self._folder / sha256(code.encode()).hexdigest()

    def _sweep(self) -> None:
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # claimed, or swept by another
                if not _can_be_used(path):
                    path.unlink()


def _can_be_used(path: Path) -> bool:
    # the distance, so that a clock that is put back does not make a link last
    return abs(time() - path.stat().st_mtime) < LIFETIME


def link_address(base: str, code: str) -> str:
    """Return the link that signs in with the code, at a server whose root is `base`."""
    return f"{base.rstrip('/')}/sign-in/#code={code}"

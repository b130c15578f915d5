"""`python -m wherry.healthcheck`: does the server of this machine answer, and its database? Exit code 0 if so, else 1.

For a container's HEALTHCHECK, so it is started every few seconds: it imports nothing but `socket` (25 ms, where
`http.client` takes 60), and asks with HTTP/1.0, after whose answer the server closes the connection. Where the server
listens, it reads from HOST and PORT, as the server does.
"""

import os
import socket
import sys

#: Seconds for each step; the server itself gives the database two.
PATIENCE = 3.0
#: Addresses that mean every address: nobody can be asked there.
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only compared


def main() -> None:
    """Ask, say on standard output what the answer is, and end the process."""
    given = os.environ.get("PORT", "").strip() or "4000"
    host = os.environ.get("HOST", "").strip()
    if not (given.isascii() and given.isdecimal() and 0 < int(given[:9]) < 65536):
        is_ready, answer = False, f"PORT is {given!r}: nobody can be asked there."
    else:
        is_ready, answer = ask(_EVERYWHERE.get(host, host), int(given))
    print(answer)
    sys.exit(0 if is_ready else 1)


def ask(host: str, port: int) -> tuple[bool, str]:
    """Return whether the server at this address is ready, and what it answers."""
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as connection:
            connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
    except OSError as error:
        return False, f"{host}, port {port}: {error}"
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b" ", 2)[1:2] == [b"200"], body.decode("utf-8", "replace")


if __name__ == "__main__":
    main()

"""The HTTP/1.1 front: bytes of a connection become ASGI calls, and what the application sends becomes bytes.

    server          the connections of one process: accepted, counted, timed, and ended in order
    connection      one connection: requests in, in turn, within limits
    request         one request and its response: what ASGI's receive and send do
    steps           the first step of a request is taken at once, a task made only for one that waits
    refusals        the answers to what is no request

Rules are those of RFC 9110 and RFC 9112; llhttp parses, in its strict mode (httptools).
"""

from wherry.http1.limits import Limits
from wherry.http1.server import Server

__all__ = ["Limits", "Server"]

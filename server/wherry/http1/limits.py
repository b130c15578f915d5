"""How much a client may ask of a connection, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds.

    Times are looked at once a `tick`. A proxy should close an idle connection before we do, or it may send a request
    into one that is just being closed: nginx waits 60 seconds.
    """

    connections: int = 10_000  #: open at once; one more is answered 503
    backlog: int = 2048  #: that wait to be accepted
    headers: int = 100  #: fields of a head, or of a trailer
    head: int = 64 * 1024  #: the request line and the header fields, or what stands between two pieces of a body
    target: int = 60 * 1024  #: of the request line
    unread: int = 64 * 1024  #: of a body that the application has not taken yet
    slice: int = 16 * 1024  #: what is parsed at once, which bounds the requests that are read ahead
    head_seconds: float = 30  #: from the first byte of a head to its last
    body_seconds: float = 30  #: without a byte of a body that the application waits for
    idle_seconds: float = 75  #: between two requests
    write_seconds: float = 60  #: without a byte of a response that the client takes
    linger_seconds: float = 5  #: that a refused client may go on sending, to read why
    parting_seconds: float = 1  #: that a connection may still bring a request when the server ends
    tick: float = 1

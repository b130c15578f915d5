"""Serve an application on a port, from one process or from several.

With one worker, the process that was started serves by itself. With more, it starts and watches them (`supervisor`).
"""

import errno
import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from tempfile import TemporaryDirectory

from wherry.config import Settings
from wherry.errors import StartError
from wherry.http1 import Limits
from wherry.metrics import RUNTIME_DIRECTORY
from wherry.supervisor import Supervisor
from wherry.worker import Build, work

#: Whether the kernel spreads connections over sockets that share a port.
_SPREADS = sys.platform == "linux"


def serve(settings: Settings, build: Build, *, serves: Callable[[], None]) -> None:
    """Answer requests on the settings' address until told to end; `build` makes each worker's application.

    `serves` is called once, as soon as a worker takes connections.
    Raises StartError when the application cannot start, or several workers have no place to put their metrics
    together.
    """
    with ExitStack() as stack:
        if settings.workers == 1:
            listener = stack.enter_context(_listening(settings.host, settings.port))
            work(settings, build, listener, serves=serves)
            return
        try:
            directory = stack.enter_context(TemporaryDirectory(prefix="wherry-"))
        except OSError as error:
            raise StartError(f"Several workers need a folder for temporary files: {error.strerror}.") from error
        os.environ[RUNTIME_DIRECTORY] = directory
        listeners = [stack.enter_context(_listening(settings.host, settings.port, shared=_SPREADS))]
        for _ in range(settings.workers - 1):
            if _SPREADS:
                listeners.append(stack.enter_context(_listening(settings.host, settings.port, shared=True)))
            else:
                listeners.append(listeners[0])
        Supervisor(settings, build, listeners, serves).run()


def listening_address(host: str, port: int) -> tuple[str, int]:
    """Return the numeric address and port to listen on; a port of 0 becomes a free one.

    Raises StartError for a host that has no address here, and for a port that cannot be had.
    """
    with _bound(host, port) as trial:
        name = trial.getsockname()
    return str(name[0]), int(name[1])


def _listening(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a socket that takes connections, which wait until they are accepted. Raises StartError.

    It listens before there is an application, so that nobody is refused while that starts, and that the first
    worker to be ready does not get all the connections.
    """
    listener = _bound(host, port, shared=shared)
    try:
        listener.listen(Limits().backlog)
    except OSError as error:  # two may bind a port as long as neither listens
        listener.close()
        raise _in_use(host, port) from error
    return listener


def _bound(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a socket that is bound, and takes no connections yet; `shared` lets others have the port too.

    Raises StartError.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise StartError(f"HOST is {host!r}, which has no address.") from error
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        if isinstance(error, PermissionError):
            raise StartError(f"Port {port} needs more rights than this user has: choose one above 1023.") from error
        if error.errno == errno.EADDRINUSE:
            raise _in_use(host, port) from error
        raise StartError(f"It is not possible to listen on {host}, port {port}: {error.strerror}.") from error
    return bound


def _in_use(host: str, port: int) -> StartError:
    return StartError(f"Port {port} is in use on {host}: choose another, or end what uses it.")

"""One process that serves: an event loop, an application with its lifespan, and what it does when it is told to end.

What an end looks like, from SIGTERM, SIGINT or SIGHUP on (`grace` is the time that all of it may take):

1. The process takes no further connections and answers the requests in flight, each with the word that it was the last
   of its connection. An idle connection may bring one more, for a second: a proxy may be sending it.
2. At three quarters of the grace time, or when it is told again a second later (several signals at once are one wish:
   a terminal sends them to every process, and the main process sends them on), what is still in flight is cut.
3. The application's lifespan ends: it closes the database.
4. What is left after the grace time is killed, by an alarm that does not need the event loop.
"""

import asyncio
import resource
import signal
import socket
from collections.abc import Callable

import uvloop

from wherry.asgi import Application, Message
from wherry.config import Settings
from wherry.errors import StartError
from wherry.http1 import Limits, Server
from wherry.observe import ignore

#: The signals that end the server. There is nothing to reload by hand, so SIGHUP is what a closed terminal sends.
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: The part of the grace time after which what is in flight is cut.
LAST_CALL = 0.75
#: Seconds after which a further signal is a further wish.
_AGAIN = 1
#: Files that a process has open besides its connections.
_OWN_FILES = 200

Build = Callable[[Settings], Application]


def work(
    settings: Settings,
    build: Build,
    listener: socket.socket,
    *,
    serves: Callable[[], None],
    orphaned: int | None = None,
) -> None:
    """Serve on a listening socket until told to end; `serves` is called as soon as connections are taken.

    `orphaned` is a file descriptor that becomes readable when there is nobody left to tell. Raises StartError, also
    where the application told the process to end, because it cannot go on (its `failure`).
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, build, listener, serves, orphaned))


async def _work(
    settings: Settings, build: Build, listener: socket.socket, serves: Callable[[], None], orphaned: int | None
) -> None:
    end = _End(settings.shutdown_grace, orphaned)
    try:
        application = build(settings)
        lifespan = _Lifespan(application)
        await lifespan.start()
        limits = Limits(connections=_possible_connections())
        server = Server(application, limits, emit=getattr(application, "emit", ignore))
        if not end.told.is_set():
            await server.listen(listener)
            serves()
        await end.told.wait()
        await server.end(end.last_call)
        await lifespan.stop()
        failure: StartError | None = getattr(application, "failure", None)
        if failure is not None:
            raise failure
    finally:
        # From here on the process only ends: a signal must not turn that into a failure.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)


class _End:
    """The wish to end, from wherever it comes; a class because it is told once, and again."""

    def __init__(self, grace: int, orphaned: int | None) -> None:
        self.told = asyncio.Event()
        self.last_call = asyncio.Event()
        self._grace = grace
        self._loop = asyncio.get_running_loop()
        self._since = 0.0
        for number in ENDS:
            self._loop.add_signal_handler(number, self._tell)
        if orphaned is not None:
            self._loop.add_reader(orphaned, self._tell_orphan, orphaned)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)

    def _tell(self) -> None:
        now = self._loop.time()
        if not self.told.is_set():
            self._since = now
            self.told.set()
            self._loop.call_later(self._grace * LAST_CALL, self.last_call.set)
            signal.setitimer(signal.ITIMER_REAL, self._grace)
        elif now - self._since > _AGAIN:
            self.last_call.set()

    def _tell_orphan(self, orphaned: int) -> None:
        self._loop.remove_reader(orphaned)
        self._tell()


class _Lifespan:
    """The server's side of ASGI's lifespan protocol; a class because it goes on while requests are answered.

    https://asgi.readthedocs.io/en/latest/specs/lifespan.html
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        self._started: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Let the application open what it needs. Raises StartError."""
        self._task = asyncio.create_task(self._live())
        self._told.put_nowait({"type": "lifespan.startup"})
        await asyncio.wait((self._task, self._started), return_when=asyncio.FIRST_COMPLETED)
        if not self._started.done():
            self._task.result()
            raise StartError("The application has ended while it started.")
        message = self._started.result()
        if message["type"] != "lifespan.startup.complete":
            raise StartError(message.get("message") or "The application cannot start.")

    async def stop(self) -> None:
        """Let the application close what it has opened."""
        self._told.put_nowait({"type": "lifespan.shutdown"})
        await self._task

    async def _live(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
        await self._application(scope, self._told.get, self._hear)

    async def _hear(self, message: Message) -> None:
        if not self._started.done():
            self._started.set_result(message)


def _possible_connections() -> int:
    """Return how many connections the process can have open, after allowing it as many files as possible.

    Many systems set the limit low, and let a process raise it.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    wanted = Limits().connections
    return wanted if most == resource.RLIM_INFINITY else max(min(wanted, most - _OWN_FILES), 1)

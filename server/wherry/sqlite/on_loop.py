"""From a thread back to the event loop: outcomes for those who wait, observations for those who listen."""

import asyncio
from collections.abc import Callable

from wherry.observe import Emit, Observation


def call_threadsafe(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *arguments: object) -> None:
    """Call `function` on the loop's thread soon; do nothing where the loop has been closed."""
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        if not loop.is_closed():
            raise


def settle(future: "asyncio.Future[object]", value: object, error: BaseException | None = None) -> None:
    """Give a future its outcome, on the loop's thread, unless it has one or its task went away."""
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
        future.exception()  # whoever waited may be gone: then nobody need hear that it was never asked


class LoopEmit:
    """An `Emit` that a thread may call: listeners hear on the loop's thread, once there is a loop."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit  #: for who is on the loop's thread
        self.loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, observation: Observation) -> None:
        """Emit soon, on the loop's thread."""
        if self.loop is None:
            self.emit(observation)
        else:
            call_threadsafe(self.loop, self.emit, observation)

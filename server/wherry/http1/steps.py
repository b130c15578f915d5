"""Take a request's first step at once, and make a task only for one that waits.

Most requests are answered without waiting for anything. A task for each would cost as much as parsing it, so the
coroutine is run by hand as far as it gets. If it ends there, that was all; if it waits, a task takes over.

Code within must not see the difference. `asyncio.current_task()` and `asyncio.timeout()` need the task that a request
will have been in from its first step, so there always is a spare one, which waits for work. The first step runs as
this task (`_enter_task` and `_leave_task` are asyncio's interface for other implementations of tasks:
https://docs.python.org/3/library/asyncio-extending.html) and in its context. A request that waits is handed over to
it, and the next gets another spare one: one whose request has ended meanwhile, or a new one. A task whose request
has changed the context, or was cancelled, ends with it.
"""

import asyncio
from asyncio import Future, tasks
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import Any, NoReturn, TypeAlias, cast

Work: TypeAlias = Coroutine[Any, Any, None]
#: What a coroutine yields to its task: a future, or None (`asyncio.sleep(0)`).
Awaited: TypeAlias = Future[Any] | None
#: Spare tasks that wait at most; further ones end.
_MOST_IDLE = 64
#: Called when the work has ended, with what it has raised, if anything.
Ended: TypeAlias = Callable[[BaseException | None], None]


class Steps:
    """The works of one event loop that wait for something, and the spare tasks; a class because it keeps both."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._idle: list[_Spare] = []
        self.waiting: set[asyncio.Task[None]] = set()
        self._spare = self._another()

    def start(self, call: Awaitable[None], ended: Ended) -> None:
        """Run a call's coroutine as far as it gets, and the rest in a task. To be called outside of any task."""
        work = cast("Work", call)  # ASGI has only coroutine functions
        spare = self._spare
        task = spare.task
        tasks._enter_task(self._loop, task)
        try:
            awaited = spare.context.run(work.send, None)
        except StopIteration:
            failure = None
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            failure = error
        else:
            self.waiting.add(task)
            spare.take_over(work, awaited, ended)
            self._spare = self._another()
            return
        finally:
            tasks._leave_task(self._loop, task)
        if not spare.is_clean:
            task.cancel()
            self._spare = self._another()
        ended(failure)

    def over(self, spare: "_Spare") -> bool:
        """Note that a task's work has ended; tell whether the task shall wait for more."""
        self.waiting.discard(spare.task)
        again = spare.is_clean and len(self._idle) < _MOST_IDLE
        if again:
            self._idle.append(spare)
        return again

    def close(self) -> None:
        """Let go of the spare tasks."""
        for spare in (self._spare, *self._idle):
            spare.task.cancel()
        self._idle.clear()

    def _another(self) -> "_Spare":
        return self._idle.pop() if self._idle else _Spare(self._loop, self)


class _Spare(Coroutine[Any, Any, None]):
    """What a task runs: it waits until some work is given, then is that work, and may wait again.

    It is no coroutine function, because one that is cancelled before its first step never runs, and would lose the
    work.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, steps: Steps) -> None:
        self._loop = loop
        self._steps = steps
        self.context = copy_context()
        self._variables = len(self.context)
        self._wait()
        self.task: asyncio.Task[None] = loop.create_task(self, context=self.context)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left of the work that was done in the task."""
        return not self.task.cancelling() and len(self.context) == self._variables

    def _wait(self) -> None:
        self._given = self._loop.create_future()
        self._work: Work | None = None
        self._awaited: Awaited = None
        self._is_fresh = True
        self._ended: Ended | None = None

    def take_over(self, work: Work, awaited: Awaited, ended: Ended) -> None:
        """Go on with work whose first step yielded `awaited`: a future, or None."""
        self._work = work
        self._awaited = awaited
        self._ended = ended
        if awaited is not None:
            awaited._asyncio_future_blocking = False  # the mark of being yielded: now, others may await it too
        if not self._given.done():
            self._given.set_result(None)

    def send(self, value: None, /) -> Awaited:
        """Take a step."""
        if self._work is None:
            return _yielded(self._given)
        if self._is_fresh:
            self._is_fresh = False
            return _yielded(self._awaited)
        return self._step(self._work.send, None)

    def throw(self, error: Any, /, *_: object) -> Awaited:  # noqa: ANN401  # as its base has it
        """Take a step with an error: a cancellation reaches first what the work waits for, as in any task."""
        if self._work is None:
            raise error
        if self._is_fresh:
            self._is_fresh = False
            if self._awaited is not None and self._awaited.cancel():
                return _yielded(self._awaited)
        return self._step(self._work.throw, error)

    def close(self) -> None:
        """Close the work."""
        if self._work is not None:
            self._work.close()

    def __await__(self) -> NoReturn:
        raise TypeError("a spare task's work is only run by its task")

    def _step(self, step: Callable[[Any], Awaited], value: BaseException | None) -> Awaited:
        assert self._ended is not None
        try:
            return step(value)
        except StopIteration:
            failure = None
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            failure = error
        self._ended(failure)
        if not self._steps.over(self):
            raise StopIteration
        self._wait()
        return _yielded(self._given)


def _yielded(awaited: Awaited) -> Awaited:
    """Mark a future as one that `await` has yielded, which its task looks for."""
    if awaited is not None:
        awaited._asyncio_future_blocking = True
    return awaited

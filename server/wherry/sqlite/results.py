"""What a read gives: a page that was made whole, or a stream that is made while it is sent."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Chunks(Protocol):
    """The parts of a body; whoever does not read to the end calls `aclose`."""

    def __aiter__(self) -> "Chunks": ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None:
        """Give the reader back; further parts are not made."""
        ...


class Page(NamedTuple):
    """A whole body. `rows` are in it; `total` would be without the limit, None where it was not asked."""

    rows: int
    body: bytes
    total: int | None


@dataclass(frozen=True, slots=True)
class Stream:
    """A body too large to hold, read from one snapshot of the file. It leases a reader until its end or `aclose`."""

    rows: int
    total: int | None
    chunks: Chunks

    async def aclose(self) -> None:
        """Give the reader back, wherever the stream is."""
        await self.chunks.aclose()

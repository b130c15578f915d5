"""A place for the files that the properties make, and one event loop for all their requests."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from .serving import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Where a property may serve one file after another."""
    memory = Path("/dev/shm")
    base = tmp_path_factory.mktemp("properties")
    with asyncio.Runner() as runner:
        yield Place(runner, memory if memory.is_dir() else base)

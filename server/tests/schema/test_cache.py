from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier

import pytest

from wherry.observe import Observation, SchemaLoaded
from wherry.schema.cache import SchemaCache
from wherry.schema.model import Schema, Table, TableKind


@dataclass
class File:
    """A file whose schema changes; counts how often it is read."""

    version: int = 1
    reads: int = 0
    breaks: bool = False
    observed: list[Observation] = field(default_factory=list)

    def load(self) -> Schema:
        if self.breaks:
            raise OSError("the disk is gone")
        self.reads += 1
        return Schema(self.version, {"t": Table("t", TableKind.TABLE, {})}, {})

    def cache(self) -> SchemaCache:
        return SchemaCache(load=self.load, version=lambda: self.version, emit=self.observed.append)


def test_a_schema_is_read_once() -> None:
    file = File()
    cache = file.cache()
    assert cache.refresh() is cache.refresh() is cache.current
    assert file.reads == 1


def test_a_changed_schema_is_read_again_and_observed() -> None:
    file = File()
    cache = file.cache()
    file.version = 2
    assert cache.current.version == 1
    assert cache.refresh().version == cache.current.version == 2
    assert [(type(seen), seen[:2]) for seen in file.observed] == [(SchemaLoaded, (1, 1)), (SchemaLoaded, (2, 1))]


def test_a_file_that_was_replaced_by_an_older_one_is_read_again() -> None:
    file = File(version=7)
    cache = file.cache()
    file.version = 3
    assert cache.refresh().version == 3


def test_of_many_threads_one_reads() -> None:
    file = File()
    cache = file.cache()
    file.version = 2
    together = Barrier(8)

    def refresh(_: int) -> Schema:
        together.wait()
        return cache.refresh()

    with ThreadPoolExecutor(8) as pool:
        assert {id(schema) for schema in pool.map(refresh, range(8))} == {id(cache.current)}
    assert file.reads == 2


def test_a_schema_that_cannot_be_read_leaves_the_last_one() -> None:
    file = File()
    cache = file.cache()
    file.version, file.breaks = 2, True
    with pytest.raises(OSError, match="the disk is gone"):
        cache.refresh()
    assert cache.current.version == 1
    file.breaks = False
    assert cache.refresh().version == 2

"""The schema in use: read once, and again when the file has another `schema_version`."""

from collections.abc import Callable
from threading import Lock
from time import perf_counter

from wherry.observe import Emit, SchemaLoaded
from wherry.schema.model import Schema


class SchemaCache:
    """Hold the current schema for all threads.

    `load` reads the schema and `version` the file's schema_version; when to look is for those who ask. The first
    schema is read when the cache is made. Errors of either function pass through and leave the last schema.
    """

    def __init__(self, *, load: Callable[[], Schema], version: Callable[[], int], emit: Emit) -> None:
        self._load = load
        self._version = version
        self._emit = emit
        self._loading = Lock()
        self._schema = self._read()

    @property
    def current(self) -> Schema:
        """Return the schema that was read last."""
        return self._schema

    def refresh(self) -> Schema:
        """Read the schema again if the file has another version; of several threads one reads, the others wait."""
        if self._version() != self._schema.version:
            with self._loading:
                # another thread may have read it in the meantime
                if self._version() != self._schema.version:
                    self._schema = self._read()
        return self._schema

    def _read(self) -> Schema:
        start = perf_counter()
        schema = self._load()
        self._emit(SchemaLoaded(schema.version, len(schema.tables), perf_counter() - start))
        return schema

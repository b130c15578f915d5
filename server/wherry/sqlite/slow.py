"""Which statements are slow: those that ran over their budget on the event loop, until they prove quick."""

#: Quick runs in a row after which a statement is trusted on the event loop again.
QUICK_RUNS = 4

_REMEMBERED = 1024


class SlowStatements:
    """The SQL texts that go to the reader threads directly: bounded, the oldest forgotten first."""

    def __init__(self) -> None:
        self._quick_runs: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._quick_runs)

    def __contains__(self, sql: str) -> bool:
        return sql in self._quick_runs

    def add(self, sql: str) -> None:
        """Remember a statement that ran over its budget."""
        self._quick_runs.pop(sql, None)
        if len(self._quick_runs) >= _REMEMBERED:
            del self._quick_runs[next(iter(self._quick_runs))]
        self._quick_runs[sql] = 0

    def ran(self, sql: str, *, quickly: bool) -> None:
        """Note a run in the reader threads; the last of several quick ones makes the statement forgotten."""
        if sql not in self._quick_runs:
            return
        runs = self._quick_runs[sql] + 1 if quickly else 0
        if runs >= QUICK_RUNS:
            del self._quick_runs[sql]
        else:
            self._quick_runs[sql] = runs

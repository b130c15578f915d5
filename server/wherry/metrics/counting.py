"""The sink of observations that counts them.

This is not prometheus-client, whose multiprocess mode costs 2.6 µs to observe one request; this costs a third of a µs.
"""

import resource
from bisect import bisect_left
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from time import time

from wherry import observe
from wherry.metrics.samples import FAMILIES, SECONDS, Samples, merge, render
from wherry.metrics.shared import Shared
from wherry.observe import Observation, Readings, RequestServed

MOST_ROUTES = 4096  #: combinations of method, route and status; further ones are counted under the route `other`

_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_STARTED = time()


class Metrics:
    """The counters of one process: a sink of observations, and the text of all workers' counters together.

    It is a class because it counts. `readings` looks at what the rooms count by themselves. `directory` is where the
    workers of one server publish; None for a server of one process. Call `publish` about once a second, and `close`
    at the end.
    """

    def __init__(self, readings: Callable[[], Readings] = Readings, directory: Path | None = None) -> None:
        self._readings = readings
        self._requests: dict[tuple[str, str, int], list[float]] = {}
        self._samples: Samples = {}
        self._shared = Shared(directory) if directory else None

    def __call__(self, observation: Observation) -> None:
        """Count an observation."""
        if observation.__class__ is RequestServed:
            numbers = self._requests.get(observation[:3]) or self._request(observation)
            seconds = observation.seconds
            numbers[bisect_left(SECONDS, seconds)] += 1
            numbers[-1] += seconds
        else:
            self._count(observation)

    def _request(self, served: RequestServed) -> list[float]:
        """Return the numbers of a method, route and status that is new."""
        method, route, status = served[:3]
        if len(self._requests) >= MOST_ROUTES:
            route = "other"
        key = (method if method in _METHODS else "other", route, status)
        return self._requests.setdefault(key, [0.0] * (len(SECONDS) + 2))

    def _count(self, observation: Observation) -> None:
        match observation:
            case observe.TransactionRun(jobs, seconds, commit_seconds, ok):
                self._add("wherry_transactions_total", "committed" if ok else "undone")
                self._observe("wherry_transaction_jobs", jobs)
                self._observe("wherry_transaction_seconds", seconds)
                self._observe("wherry_commit_seconds", commit_seconds)
            case observe.CheckpointRun(pages, _, mode):
                self._add("wherry_checkpoints_total", mode)
                self._add("wherry_checkpoint_pages_total", by=pages)
            case observe.ServerStarted():
                self._samples["wherry_build_info", observation.version, observation.sqlite_version] = [1.0]
            case _:
                name = _COUNTED.get(observation.__class__)
                if name is not None:
                    self._add(name)

    def _add(self, name: str, *labels: str, by: float = 1.0) -> None:
        self._samples.setdefault((name, *labels), [0.0])[0] += by

    def _observe(self, name: str, value: float) -> None:
        buckets = FAMILIES[name].buckets
        numbers = self._samples.setdefault((name,), [0.0] * (len(buckets) + 2))
        numbers[bisect_left(buckets, value)] += 1
        numbers[-1] += value

    def publish(self) -> None:
        """Let the other workers' scrapes see what was counted here."""
        if self._shared:
            self._shared.publish(self.samples())

    def close(self) -> None:
        """Publish for the last time."""
        if self._shared:
            self.publish()
            self._shared.close()

    def text(self) -> bytes:
        """Return the metrics of all workers in Prometheus' text format 0.0.4."""
        if self._shared is None:
            return render(self.samples())
        own = self.samples()
        self._shared.publish(own)  # what was shown once must not be lost, or a counter would fall
        return render(merge([own, *self._shared.others()]))

    def samples(self) -> Samples:
        """Return what this process has counted until now, and its state."""
        samples: Samples = {
            ("wherry_http_request_duration_seconds", method, route, str(status)): numbers
            for (method, route, status), numbers in self._requests.items()
        }
        for (_, *labels), numbers in list(samples.items()):
            samples["wherry_http_requests_total", *labels] = [sum(numbers[:-1])]
        samples |= self._samples
        samples |= _read(self._readings())
        samples |= _process()
        return samples


_COUNTED: Mapping[type, str] = {
    observe.UnexpectedError: "wherry_unexpected_errors_total",
    observe.StatementInterrupted: "wherry_statements_interrupted_total",
    observe.SchemaLoaded: "wherry_schema_loads_total",
    observe.PoliciesLoaded: "wherry_policies_loads_total",
    observe.PoliciesRefused: "wherry_policies_refusals_total",
    observe.KeysLoaded: "wherry_keys_loads_total",
    observe.KeysRefused: "wherry_keys_refusals_total",
}


def _read(readings: Readings) -> Samples:
    samples: Samples = {
        ("wherry_reads_total", "event loop"): [readings.reads_inline],
        ("wherry_reads_total", "reader thread"): [readings.reads_handed_over],
        ("wherry_writer_queue_length",): [readings.writer_queue_length],
        ("wherry_wal_bytes",): [readings.wal_bytes],
    }
    for name in ("plan_cache_hits", "plan_cache_misses", "token_cache_hits", "token_cache_misses"):
        samples[(f"wherry_{name}_total",)] = [getattr(readings, name)]
    return samples


def _process() -> Samples:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    samples: Samples = {
        ("wherry_workers",): [1.0],
        ("process_cpu_seconds_total",): [usage.ru_utime + usage.ru_stime],
        ("process_start_time_seconds",): [_STARTED],
    }
    with suppress(OSError):  # there is no /proc but on Linux
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        samples[("process_resident_memory_bytes",)] = [pages * resource.getpagesize()]
        samples[("process_open_fds",)] = [sum(1 for _ in Path("/proc/self/fd").iterdir())]
    return samples

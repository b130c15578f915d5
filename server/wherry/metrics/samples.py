"""Every metric by its name, and the samples of it: how they are added up and written for Prometheus.

A sample is (family, label values) → numbers: one number for a counter or gauge; for a histogram the observations in
each bucket, then those above the last, then their sum. So the samples of two processes are merged by adding numbers.
The text is Prometheus' format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
"""

from collections.abc import Callable, Iterable, Mapping
from operator import add
from typing import NamedTuple, TypeAlias

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
JOBS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

Key: TypeAlias = tuple[str, ...]  # a family's name and the values of its labels
Samples: TypeAlias = dict[Key, list[float]]


class Family(NamedTuple):
    """A metric as it is described to Prometheus. `merge` says how the gauges of several workers become one."""

    kind: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    merge: Callable[[float, float], float] = add  # for gauges; counters are added


def _largest(one: float, other: float) -> float:
    return max(one, other)


def _smallest(one: float, other: float) -> float:
    return min(one, other)


FAMILIES: Mapping[str, Family] = {
    "wherry_http_requests_total": Family("counter", "Requests answered.", ("method", "route", "status")),
    "wherry_http_request_duration_seconds": Family(
        "histogram", "Time from a request to its whole response.", ("method", "route", "status"), SECONDS
    ),
    "wherry_unexpected_errors_total": Family("counter", "Requests that ended in an error nobody foresaw."),
    "wherry_reads_total": Family("counter", "Reads, on the event loop or in a reader thread.", ("where",)),
    "wherry_statements_interrupted_total": Family("counter", "Statements over their time, or without a client."),
    "wherry_transactions_total": Family("counter", "Write transactions.", ("outcome",)),
    "wherry_transaction_jobs": Family("histogram", "Requests that one transaction wrote for.", (), JOBS),
    "wherry_transaction_seconds": Family("histogram", "Time from BEGIN to after COMMIT.", (), SECONDS),
    "wherry_commit_seconds": Family("histogram", "Time in COMMIT, waiting for the disk.", (), SECONDS),
    "wherry_checkpoints_total": Family("counter", "Checkpoints of the write-ahead log.", ("mode",)),
    "wherry_checkpoint_pages_total": Family("counter", "Pages that checkpoints moved into the database file."),
    "wherry_writer_queue_length": Family("gauge", "Writes that wait for the writer."),
    "wherry_wal_bytes": Family("gauge", "Size of the write-ahead log.", merge=_largest),
    "wherry_plan_cache_hits_total": Family("counter", "Requests of a shape that was remembered."),
    "wherry_plan_cache_misses_total": Family("counter", "Requests of a shape that had to be planned."),
    "wherry_token_cache_hits_total": Family("counter", "Tokens that were remembered as verified."),
    "wherry_token_cache_misses_total": Family("counter", "Tokens that had to be verified."),
    "wherry_schema_loads_total": Family("counter", "Times the schema was read."),
    "wherry_policies_loads_total": Family("counter", "Times policies.sql was read and holds."),
    "wherry_policies_refusals_total": Family("counter", "Times policies.sql was read and cannot be used."),
    "wherry_keys_loads_total": Family("counter", "Times the token keys were read."),
    "wherry_keys_refusals_total": Family("counter", "Times the token keys could not be read."),
    "wherry_workers": Family("gauge", "Worker processes."),
    "wherry_build_info": Family("gauge", "Versions in use.", ("version", "sqlite_version"), merge=_largest),
    "process_cpu_seconds_total": Family("counter", "Processor time of the workers, user and system."),
    "process_resident_memory_bytes": Family("gauge", "Resident memory of the workers."),
    "process_open_fds": Family("gauge", "Open file descriptors of the workers."),
    "process_start_time_seconds": Family("gauge", "When the oldest worker started.", merge=_smallest),
}


def counted(samples: Samples) -> Samples:
    """Return what was counted, without the states of a process that is gone."""
    return {key: numbers for key, numbers in samples.items() if FAMILIES[key[0]].kind != "gauge"}


def merge(processes: Iterable[Samples]) -> Samples:
    """Return the samples of several processes as one's."""
    merged: Samples = {}
    for samples in processes:
        for key, numbers in samples.items():
            before = merged.get(key)
            combine = FAMILIES[key[0]].merge
            merged[key] = list(map(combine, before, numbers)) if before else numbers
    return merged


def render(samples: Samples) -> bytes:
    """Return samples in Prometheus' text format 0.0.4, family by family."""
    by_family: dict[str, list[tuple[Key, list[float]]]] = {}
    for (name, *labels), numbers in samples.items():
        by_family.setdefault(name, []).append((tuple(labels), numbers))
    lines: list[str] = []
    for name, family in FAMILIES.items():
        if name in by_family:
            lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}"]
            for values, numbers in sorted(by_family[name]):
                pairs = [f'{label}="{_escaped(value)}"' for label, value in zip(family.labels, values, strict=True)]
                lines += _lines(name, pairs, family, numbers)
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _lines(name: str, pairs: list[str], family: Family, numbers: list[float]) -> list[str]:
    if not family.buckets:
        return [_line(name, pairs, numbers[0])]
    lines, total = [], 0.0
    for edge, number in zip((*map(str, family.buckets), "+Inf"), numbers, strict=False):
        total += number
        lines.append(_line(f"{name}_bucket", [*pairs, f'le="{edge}"'], total))
    return [*lines, _line(f"{name}_sum", pairs, numbers[-1]), _line(f"{name}_count", pairs, total)]


def _line(name: str, pairs: list[str], value: float) -> str:
    number = int(value) if value == int(value) else value
    return f"{name}{{{','.join(pairs)}}} {number}" if pairs else f"{name} {number}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

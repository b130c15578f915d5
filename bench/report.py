"""Write what was measured: every figure as JSON, and tables of medians with their ratios to the peer."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from bench.measure import Sample
from bench.requests import WORKLOADS, Kind


@dataclass(frozen=True, slots=True)
class Start:
    """What a server took before anybody asked it: seconds until its first answer, and MB of its own."""

    seconds: float
    memory: float


@dataclass(frozen=True, slots=True)
class Results:
    """Everything of one run: the samples by workload and server, in the order in which they were taken."""

    conditions: Mapping[str, object]
    starts: Mapping[str, Start]
    samples: Mapping[str, Mapping[str, Sequence[Sample]]]


def as_json(results: Results) -> str:
    """Return every sample of a run as JSON."""
    return json.dumps(asdict(results), indent=1) + "\n"


def as_markdown(results: Results) -> str:
    """Return the medians of a run as tables; the first server is the one that the others are compared with."""
    conditions = ", ".join(f"{name} {value}" for name, value in results.conditions.items())
    workloads = list(results.samples)
    # Beside a slow query, how long the fast ones take is the question; their rate and cost are the slow one's.
    compared = [name for name in workloads if WORKLOADS[name].kind is not Kind.BESIDE]
    return "\n".join(
        (
            f"{conditions}\n",
            *_table(results, compared, "requests/s (exports: rows/s)", _rate),
            *_table(results, compared, "server CPU, µs per request (exports: per row)", _processor),
            *_table(results, workloads, "p50 / p99, ms (exports: first byte / last byte, most memory)", _times),
            "| server | first answer, s | memory at rest, MB |",
            "| --- | --: | --: |",
            *(f"| {name} | {start.seconds:.2f} | {start.memory:.0f} |" for name, start in results.starts.items()),
        )
    )


_Cell = Callable[[str, Sample, Sample], str]


def _table(results: Results, workloads: Sequence[str], title: str, cell: _Cell) -> list[str]:
    names = list(results.starts)
    lines = [f"| {title} | {' | '.join(names)} |", f"| --- |{' --: |' * len(names)}"]
    for workload in workloads:
        medians = {name: _median(results.samples[workload][name]) for name in names}
        cells = (cell(workload, medians[name], medians[names[0]]) for name in names)
        lines.append(f"| {workload} | {' | '.join(cells)} |")
    return [*lines, ""]


def _median(samples: Sequence[Sample]) -> Sample:
    """Return the median of each figure; of errors the sum, since none may be overlooked."""
    return Sample(
        rate=median(sample.rate for sample in samples),
        processor=median(sample.processor for sample in samples),
        median=median(sample.median for sample in samples),
        p99=median(sample.p99 for sample in samples),
        errors=sum(sample.errors for sample in samples),
        memory=max(sample.memory for sample in samples),
    )


def _rate(_: str, sample: Sample, peer: Sample) -> str:
    errors = f", {sample.errors} errors" if sample.errors else ""
    return f"{sample.rate:,.0f}{_ratio(sample.rate, peer.rate, same=sample is peer)}{errors}"


def _processor(_: str, sample: Sample, peer: Sample) -> str:
    """Show how many requests the server answers in the time of processor in which the peer answers one."""
    return f"{sample.processor:.1f}{_ratio(peer.processor, sample.processor, same=sample is peer)}"


def _times(workload: str, sample: Sample, _: Sample) -> str:
    memory = f", {sample.memory:.0f} MB" if WORKLOADS[workload].kind is Kind.EXPORT else ""
    return f"{sample.median:.2f} / {sample.p99:.1f}{memory}"


def _ratio(better: float, worse: float, *, same: bool) -> str:
    return "" if same or not worse else f" ({better / worse:.2f}x)"

"""Run the benchmark: `python -m bench.run --help` says what can be chosen."""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from bench.checks import check
from bench.dataset import FULL, SMALL, build
from bench.measure import Sample, measure, require_wrk
from bench.report import Results, Start, as_json, as_markdown
from bench.requests import WORKLOADS, Kind
from bench.targets import HERE, TARGETS, BenchError, Server

DATA = HERE / "data"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the arguments name; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        require_wrk()
        results = _run(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    (DATA / "results.json").write_text(as_json(results), encoding="utf-8")
    (DATA / "results.md").write_text(as_markdown(results) + "\n", encoding="utf-8")
    print(as_markdown(results))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument(
        "--targets",
        type=_names(TARGETS),
        default="fastify,wherry",
        metavar="NAME,…",
        help=f"of {', '.join(TARGETS)}; the first is compared with (fastify,wherry)",
    )
    parser.add_argument(
        "--workloads",
        type=_names(WORKLOADS),
        default=",".join(WORKLOADS),
        metavar="NAME,…",
        help=f"of {', '.join(WORKLOADS)} (all)",
    )
    parser.add_argument("--rounds", type=int, default=3, help="runs of each workload on each server (3)")
    parser.add_argument("--seconds", type=int, default=2, help="of each run (2)")
    parser.add_argument("--small", action="store_true", help="take little data: to see whether everything works")
    return parser  # fmt: skip


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return names

    return parse


def _run(options: argparse.Namespace) -> Results:
    counts = SMALL if options.small else FULL
    conditions = _conditions(options)
    source = DATA / ("small.db" if options.small else "full.db")
    if not source.exists():
        build(source, counts)
    with ExitStack() as running:
        servers = [
            running.enter_context(Server(name, source=source, folder=DATA / name, counts=counts))
            for name in options.targets
        ]
        starts = {server.name: Start(server.seconds_to_start, server.memory()) for server in servers}
        samples = {name: _turns(servers, name, options.rounds, options.seconds) for name in options.workloads}
    return Results(conditions, starts, samples)


def _turns(servers: list[Server], name: str, rounds: int, seconds: int) -> dict[str, list[Sample]]:
    """Check, warm up, then measure the servers turn by turn; each round begins with another one."""
    for server in servers:
        check(server, name)
        if WORKLOADS[name].kind is not Kind.BESIDE:
            measure(server, name, 1)
    samples: dict[str, list[Sample]] = {server.name: [] for server in servers}
    for turn in range(rounds):
        first = turn % len(servers)
        for server in servers[first:] + servers[:first]:
            samples[server.name].append(measure(server, name, seconds))
    print(name, *(f"{key} {value[-1].processor:.1f} µs" for key, value in samples.items()), file=sys.stderr, flush=True)
    return samples


def _conditions(options: argparse.Namespace) -> dict[str, object]:
    return {
        "rounds": options.rounds,
        "seconds": options.seconds,
        "data": "small" if options.small else "full",
        "processors": os.cpu_count(),
        "load before": round(os.getloadavg()[0], 1),
        "Python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())

"""What was counted, as Prometheus reads it, summed over all workers."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from wherry import observe
from wherry.errors import StartError
from wherry.metrics import Metrics
from wherry.metrics.samples import FAMILIES, render
from wherry.observe import Readings, ServerStarted, TransactionRun

from .test_logs import OBSERVATIONS, SERVED

STARTED = ServerStarted("0.1", "dev.db", False, "wal", "3.54.1")


def values(text: bytes) -> dict[str, float]:
    """Return every sample of a text by its name and labels."""
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def count(metrics: Metrics, name: str) -> float | None:
    """Return one value of a scrape."""
    return values(metrics.text()).get(name)


StartWorker: TypeAlias = Callable[..., Metrics]

REQUESTS = 'wherry_http_requests_total{method="GET",route="/api/rest/v1/films",status="200"}'


def test_requests_are_counted_by_method_route_and_status() -> None:
    metrics = Metrics()
    metrics(SERVED._replace(seconds=2**-11))
    metrics(SERVED._replace(seconds=3 * 2**-10))
    metrics(SERVED._replace(seconds=99.0, status=504))
    text = metrics.text().decode()
    duration = [line for line in text.splitlines() if "duration" in line and '"504"' not in line]
    labels = 'method="GET",route="/api/rest/v1/films",status="200"'
    buckets = "0.0001 0.00025 0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1.0 2.5 5.0 10.0 +Inf"
    counts = [0, 0, 1, 1, 1] + [2] * 12
    name = "wherry_http_request_duration_seconds"
    assert duration == [
        f"# HELP {name} Time from a request to its whole response.",
        f"# TYPE {name} histogram",
        *[f'{name}_bucket{{{labels},le="{le}"}} {n}' for le, n in zip(buckets.split(), counts, strict=True)],
        f"{name}_sum{{{labels}}} 0.00341796875",
        f"{name}_count{{{labels}}} 2",
    ]
    late = values(metrics.text())
    labels = labels.replace("200", "504")
    assert late[f'{name}_bucket{{{labels},le="10.0"}}'] == 0
    assert late[f'{name}_bucket{{{labels},le="+Inf"}}'] == 1
    assert (late[REQUESTS], late[REQUESTS.replace("200", "504")]) == (2, 1)


def test_methods_and_routes_that_clients_invent_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.metrics.counting.MOST_ROUTES", 3)
    metrics = Metrics()
    for number in range(10):
        metrics(SERVED._replace(method=f"BREW{number}"))
        metrics(SERVED._replace(route=f"/{number}"))
    counted = {name: n for name, n in values(metrics.text()).items() if name.startswith("wherry_http_requests_total")}
    assert counted == {
        'wherry_http_requests_total{method="other",route="/api/rest/v1/films",status="200"}': 2,
        'wherry_http_requests_total{method="GET",route="/0",status="200"}': 1,
        'wherry_http_requests_total{method="GET",route="/1",status="200"}': 1,
        'wherry_http_requests_total{method="other",route="other",status="200"}': 8,
        'wherry_http_requests_total{method="GET",route="other",status="200"}': 8,
    }


def test_every_observation_but_states_and_notices_is_counted() -> None:
    metrics = Metrics()
    before = values(metrics.text())
    for observation, _ in OBSERVATIONS:
        metrics(observation)
    metrics(observe.UnexpectedError("5a-1", ValueError()))
    after = values(metrics.text())
    changed = {
        name: number
        for name, number in after.items()
        if name not in before and "_bucket" not in name and not name.startswith("process_")
    }
    assert changed == {
        "wherry_unexpected_errors_total": 1,
        "wherry_statements_interrupted_total": 1,
        'wherry_transactions_total{outcome="committed"}': 1,
        'wherry_transactions_total{outcome="undone"}': 1,
        "wherry_transaction_jobs_sum": 6,
        "wherry_transaction_jobs_count": 2,
        "wherry_transaction_seconds_sum": 0.004,
        "wherry_transaction_seconds_count": 2,
        "wherry_commit_seconds_sum": 0.002,
        "wherry_commit_seconds_count": 2,
        'wherry_checkpoints_total{mode="passive"}': 1,
        "wherry_checkpoint_pages_total": 9,
        "wherry_schema_loads_total": 1,
        "wherry_policies_loads_total": 2,
        "wherry_policies_refusals_total": 1,
        "wherry_keys_loads_total": 1,
        "wherry_keys_refusals_total": 1,
        'wherry_build_info{version="0.1",sqlite_version="3.54.1"}': 1,
    }


def test_what_the_rooms_count_by_themselves_is_read() -> None:
    read = values(Metrics(lambda: Readings(1, 2, 3, 4, 5, 6, 7, 8)).text())
    assert {name: number for name, number in read.items() if not name.startswith("process_")} == {
        'wherry_reads_total{where="event loop"}': 1,
        'wherry_reads_total{where="reader thread"}': 2,
        "wherry_writer_queue_length": 3,
        "wherry_wal_bytes": 4,
        "wherry_plan_cache_hits_total": 5,
        "wherry_plan_cache_misses_total": 6,
        "wherry_token_cache_hits_total": 7,
        "wherry_token_cache_misses_total": 8,
        "wherry_workers": 1,
    }
    assert read["process_cpu_seconds_total"] > 0
    assert read["process_resident_memory_bytes"] > 1_000_000
    assert read["process_open_fds"] > 2
    assert read["process_start_time_seconds"] > 1_600_000_000


def test_names_of_tables_cannot_break_the_text() -> None:
    text = render({("wherry_http_requests_total", "GET", '/a"\\\n\ud800ä', "200"): [1]})
    assert text.decode().splitlines()[2:] == [
        'wherry_http_requests_total{method="GET",route="/a\\"\\\\\\n?ä",status="200"} 1'
    ]


def test_the_text_is_well_formed_and_each_family_described_once() -> None:
    metrics = Metrics()
    for observation in (SERVED, STARTED, TransactionRun(1, 0.1, 0.1)):
        metrics(observation)
    described: list[str] = []
    for line in metrics.text().decode().removesuffix("\n").split("\n"):
        match = re.fullmatch(r'# (?:HELP|TYPE) (\w+) .+|(\w+)(?:\{(?:\w+="[^"]*",?)+\})? [0-9.e+-]+', line)
        assert match, line
        if line.startswith("# HELP"):
            described.append(match[1])
        elif match[2]:
            assert re.sub("_(bucket|sum|count)$", "", match[2]) == described[-1]
    assert described == [name for name in FAMILIES if name in described]


def test_a_scrape_of_any_worker_shows_the_sum_of_all(start_worker: StartWorker) -> None:
    one = start_worker(Readings(writer_queue_length=1, wal_bytes=100))
    other = start_worker(Readings(writer_queue_length=2, wal_bytes=90))
    for metrics in (one, other, other):
        metrics(SERVED)
        metrics(STARTED)
    other.publish()
    scraped = values(one.text())
    names = (REQUESTS, "wherry_workers", "wherry_writer_queue_length", "wherry_wal_bytes")
    assert [scraped[name] for name in names] == [3, 2, 3, 100]
    assert scraped['wherry_build_info{version="0.1",sqlite_version="3.54.1"}'] == 1
    assert count(other, REQUESTS) == 3


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Start to count as a worker in this process; it ends with the test."""
    workers: list[Metrics] = []

    def start(readings: Readings | None = None, directory: Path = tmp_path) -> Metrics:
        workers.append(Metrics(lambda: readings or Readings(), directory))
        return workers[-1]

    yield start
    for worker in workers:
        worker.close()


COUNTING_WORKER = f"""
import sys
from pathlib import Path
from wherry.metrics import Metrics
from wherry.observe import RequestServed
metrics = Metrics(directory=Path(sys.argv[1]))
metrics({SERVED!r})
metrics.publish()
"""


def run_worker(directory: Path) -> None:
    """Let a process count one request, publish and end."""
    environment = {"PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", COUNTING_WORKER, str(directory)], env=environment, check=True)


def test_what_a_worker_counted_stays_counted_when_it_ends(tmp_path: Path, start_worker: StartWorker) -> None:
    survivor = start_worker()
    survivor(SERVED)
    run_worker(tmp_path)
    assert (count(survivor, REQUESTS), count(survivor, "wherry_workers")) == (2, 1)
    run_worker(tmp_path)
    run_worker(tmp_path)
    assert (count(survivor, REQUESTS), count(survivor, "wherry_workers")) == (4, 1)
    restarted = start_worker()
    assert (count(restarted, REQUESTS), count(restarted, "wherry_workers")) == (4, 2)
    assert len(list(tmp_path.glob("*.alive"))) == 2  # those that ended are added up in one file
    assert len(list(tmp_path.glob("*.samples"))) == 3


def test_files_that_are_not_samples_are_passed_over(tmp_path: Path, start_worker: StartWorker) -> None:
    metrics = start_worker()
    (tmp_path / "torn.samples").write_bytes(b"\xff\x00")
    (tmp_path / "strange.samples").write_bytes(b"\x91\x92\x91\xa1x\x91\x01")
    metrics(SERVED)
    assert count(metrics, REQUESTS) == 1


def test_a_directory_that_vanishes_costs_only_the_sight_of_others(tmp_path: Path, start_worker: StartWorker) -> None:
    directory = tmp_path / "runtime"
    directory.mkdir()
    metrics = start_worker(directory=directory)
    metrics(SERVED)
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    metrics.publish()
    assert count(metrics, REQUESTS) == 1


def test_a_server_of_one_process_publishes_nothing() -> None:
    metrics = Metrics()
    metrics(SERVED)
    metrics.publish()
    assert count(metrics, REQUESTS) == 1


def test_a_runtime_directory_that_is_not_there_is_said_at_start(tmp_path: Path) -> None:
    with pytest.raises(
        StartError, match=r"^The runtime directory .*/missing cannot be used: No such file or directory\.$"
    ):
        Metrics(directory=tmp_path / "missing")

"""Several processes on one file: writers at once, and others that lock it or change its schema."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.process.conftest import Serve
from tests.process.served import Served, make, rows

SCHEMA = """
CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, owner INTEGER);
CREATE TABLE doomed (id INTEGER PRIMARY KEY);
INSERT INTO owners VALUES (1, 'Ada');
INSERT INTO items VALUES (1, 'spanner', 1);
INSERT INTO doomed VALUES (1);
"""

#: A process that locks the file as told, says so, and lets go when its standard input ends.
LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of owners and items."""
    return make(tmp_path / "app.db", SCHEMA)


def test_servers_and_workers_that_write_one_file_lose_no_write(serve: Serve, file: Path) -> None:
    servers = [serve(file, workers=2), serve(file)]
    each = 60

    def write(number: int) -> list[int]:
        with servers[number % 2].client() as api:
            return [api.post("items", json={"name": f"{number}.{n}", "owner": 1}).status_code for n in range(each)]

    with ThreadPoolExecutor(8) as pool:
        statuses = [status for answered in pool.map(write, range(8)) for status in answered]

    assert statuses == [201] * (8 * each)
    assert rows(file, "SELECT count(*), count(DISTINCT name) FROM items WHERE name <> 'spanner'") == [
        (8 * each, 8 * each)
    ]
    assert [server.end() for server in servers] == [0, 0]
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert not file.with_name("app.db-wal").exists()


@contextmanager
def locked(file: Path, how: str) -> Iterator[None]:
    """Let another process hold the file."""
    command = [sys.executable, "-c", LOCK, str(file), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        yield
        other.communicate()


def test_a_file_that_another_process_holds_is_busy_until_it_lets_go(serve: Serve, file: Path) -> None:
    served = serve(file, WHERRY_BUSY_TIMEOUT="0.2")
    with served.client() as api:
        with locked(file, "BEGIN IMMEDIATE"):
            refused = api.post("items", json={"name": "hammer"})
            assert api.get("items?select=name").json() == [{"name": "spanner"}]

        assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
        body = refused.json()
        assert (body["code"], set(body)) == ("55P03", {"code", "message", "details", "hint"})
        assert api.post("items", json={"name": "hammer"}).status_code == 201
    assert rows(file, "SELECT count(*) FROM items WHERE name = 'hammer'") == [(1,)]


def test_without_wal_a_file_that_is_locked_wholly_is_busy_for_readers_too(serve: Serve, file: Path) -> None:
    served = serve(file, WHERRY_BUSY_TIMEOUT="0.2", WHERRY_WAL="off")
    with served.client() as api:
        assert api.get("owners").json() == [{"id": 1, "name": "Ada"}]
        with locked(file, "BEGIN EXCLUSIVE"):
            refused = [api.get("owners"), api.post("owners", json={"name": "Grace"})]
            ready = httpx.get(f"{served.url}/readyz", timeout=30, trust_env=False)
            alive = httpx.get(f"{served.url}/healthz", timeout=30, trust_env=False)
        assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(503, "55P03")] * 2
        assert (ready.status_code, alive.status_code) == (503, 200)
        assert api.post("owners", json={"name": "Grace"}).status_code == 201
        assert api.get("owners?select=name").json() == [{"name": "Ada"}, {"name": "Grace"}]
    assert served.end() == 0


# The schema


def on_every_worker(served: Served, ask: Callable[[httpx.Client], httpx.Response]) -> list[httpx.Response]:
    """Ask once on each of many new connections, which the kernel spreads over the workers."""
    answers = []
    for _ in range(8):
        with served.client() as api:
            answers.append(ask(api))
    return answers


def change(path: Path, sql: str) -> None:
    """Change the schema as the sqlite3 shell does, beside the server."""
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as connection:
        connection.execute(sql)


def test_the_next_request_of_every_worker_knows_a_changed_schema(serve: Serve, file: Path) -> None:
    served = serve(file, workers=2)
    done = Event()

    def hammer(request: Callable[[httpx.Client], httpx.Response]) -> set[int]:
        statuses = set()
        with served.client() as api:
            while not done.is_set():
                statuses.add(request(api).status_code)
        return statuses

    def every(ask: Callable[[httpx.Client], httpx.Response]) -> list[tuple[int, object]]:
        """Return the different answers of all workers."""
        answers = [(answer.status_code, answer.json()) for answer in on_every_worker(served, ask)]
        return [answer for position, answer in enumerate(answers) if answer not in answers[:position]]

    with ThreadPoolExecutor(4) as pool:
        hammers = [
            pool.submit(hammer, lambda api: api.get("items?select=*&id=eq.1")),
            pool.submit(hammer, lambda api: api.get("owners")),
            pool.submit(hammer, lambda api: api.post("items", json={"name": "nail"})),
            pool.submit(hammer, lambda api: api.get("doomed")),
        ]
        try:
            assert every(lambda api: api.get("items?id=eq.1")) == [(200, [{"id": 1, "name": "spanner", "owner": 1}])]

            change(file, "ALTER TABLE items ADD COLUMN colour TEXT DEFAULT 'grey'")
            spanner = {"id": 1, "name": "spanner", "owner": 1, "colour": "grey"}
            assert every(lambda api: api.get("items?id=eq.1")) == [(200, [spanner])]

            change(file, "ALTER TABLE items ADD COLUMN size INTEGER")
            headers = {"prefer": "return=representation"}
            assert every(
                lambda api: api.post("items?select=name,size", json={"name": "nut", "size": 8}, headers=headers)
            ) == [(201, [{"name": "nut", "size": 8}])]

            change(file, "CREATE TABLE boxes (id INTEGER PRIMARY KEY, item INTEGER REFERENCES items)")
            assert every(lambda api: api.get("boxes")) == [(200, [])]
            assert every(lambda api: api.get("items?select=name,boxes(id)&id=eq.1")) == [
                (200, [{"name": "spanner", "boxes": []}])
            ]

            change(file, "CREATE VIEW red_items AS SELECT name FROM items WHERE colour = 'red'")
            assert every(lambda api: api.get("red_items")) == [(200, [])]

            change(file, "ALTER TABLE owners RENAME COLUMN name TO full_name")
            assert every(lambda api: api.get("owners")) == [(200, [{"id": 1, "full_name": "Ada"}])]

            change(file, "DROP TABLE doomed")
            assert [status for status, _ in every(lambda api: api.get("doomed"))] == [404]
        finally:
            done.set()
        assert [hammered.result() for hammered in hammers] == [{200}, {200}, {201}, {200, 404}]


def test_no_row_is_shown_that_the_policies_hide_while_the_schema_changes(serve: Serve, file: Path) -> None:
    file.with_name("policies.sql").write_text("""
        GRANT SELECT (id, name) ON items TO anon;
        ALTER TABLE items ENABLE ROW LEVEL SECURITY;
        CREATE POLICY even ON items FOR SELECT TO anon USING (id % 2 = 0);
    """)
    change(file, "INSERT INTO items (name) VALUES ('hammer'), ('nail'), ('saw')")
    served = serve(file, workers=2)
    done = Event()
    seen = [{"id": 2, "name": "hammer"}, {"id": 4, "name": "saw"}]

    def hammer() -> list[object]:
        """Return what was answered besides what may be seen."""
        odd = []
        with served.client("anon") as api:
            while not done.is_set():
                answer = api.get("items")
                if (answer.status_code, answer.json()) != (200, seen):
                    odd.append(answer.text)
        return odd

    with ThreadPoolExecutor(3) as pool:
        hammers = [pool.submit(hammer) for _ in range(3)]
        try:
            for number in range(15):
                change(file, f"ALTER TABLE items ADD COLUMN secret{number} TEXT DEFAULT 'secret'")
                with served.client() as api:
                    assert api.get(f"items?select=secret{number}&limit=1").json() == [{f"secret{number}": "secret"}]
        finally:
            done.set()
        assert [hammered.result() for hammered in hammers] == [[], [], []]


def test_a_migration_that_makes_a_table_anew_is_seen_as_a_whole(serve: Serve, file: Path) -> None:
    served = serve(file)
    with served.client() as api:
        assert api.get("items?select=name,owners(name)").status_code == 400
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.executescript("""
                BEGIN IMMEDIATE;
                CREATE TABLE made (id INTEGER PRIMARY KEY, name TEXT, owner INTEGER REFERENCES owners);
                INSERT INTO made SELECT * FROM items;
                DROP TABLE items;
                ALTER TABLE made RENAME TO items;
            """)
            assert api.get("items?select=name,owners(name)").status_code == 400
            connection.execute("COMMIT")
        assert api.get("items?select=name,owners(name)").json() == [{"name": "spanner", "owners": {"name": "Ada"}}]


def test_a_file_that_is_vacuumed_and_written_by_others_is_served_on(serve: Serve, file: Path) -> None:
    served = serve(file)
    with served.client() as api:
        change(file, "INSERT INTO owners VALUES (2, 'Grace')")
        assert api.get("owners?select=name").json() == [{"name": "Ada"}, {"name": "Grace"}]
        change(file, "VACUUM")
        assert api.get("owners?select=name").json() == [{"name": "Ada"}, {"name": "Grace"}]
        assert api.post("owners", json={"name": "Edsger"}).status_code == 201
    assert rows(file, "SELECT name FROM owners") == [("Ada",), ("Grace",), ("Edsger",)]

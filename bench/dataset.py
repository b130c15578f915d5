"""Make the data that is measured: a blog and a shop, drawn with a seed, so that every machine has the same rows.

In full size it has about 215 MB: 100,000 posts of 1 kB, 300,000 comments, 50,000 orders. Posts and comments have text
that is not ASCII, and quotes and line feeds in it, as real ones do: what escapes and encodes is measured too. The view
`numbers` counts as far as it is asked to, so that reading far into it is a query as slow as one likes.
"""

import random
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SEED = 42

SCHEMA = """
CREATE TABLE authors (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, bio TEXT, created_at TEXT NOT NULL);
CREATE TABLE posts (
    id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors (id), title TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE, body TEXT, status TEXT NOT NULL DEFAULT 'draft', views INTEGER NOT NULL DEFAULT 0,
    rating REAL, published_at TEXT, created_at TEXT NOT NULL);
CREATE TABLE comments (
    id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    author_id INTEGER NOT NULL REFERENCES authors (id), body TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')));
CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE post_tags (
    post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE, tag_id INTEGER NOT NULL REFERENCES tags (id),
    PRIMARY KEY (post_id, tag_id)) WITHOUT ROWID;
CREATE TABLE products (
    id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, name TEXT NOT NULL, price REAL NOT NULL, stock INTEGER NOT NULL);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES authors (id), status TEXT NOT NULL,
    total REAL NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE order_items (
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    product_id INTEGER NOT NULL REFERENCES products (id), quantity INTEGER NOT NULL, price REAL NOT NULL);
CREATE VIEW numbers (n) AS
    WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 1000000000)
    SELECT n FROM counted;
"""

#: Made when the rows are in: that is faster, and leaves the indexes without holes.
INDEXES = """
CREATE INDEX posts_of_author ON posts (author_id);
CREATE INDEX posts_by_status ON posts (status, published_at);
CREATE INDEX comments_on_post ON comments (post_id);
CREATE INDEX comments_of_author ON comments (author_id);
CREATE INDEX posts_of_tag ON post_tags (tag_id);
CREATE INDEX orders_of_customer ON orders (customer_id);
CREATE INDEX orders_by_status ON orders (status, created_at);
CREATE INDEX items_of_order ON order_items (order_id);
CREATE INDEX items_of_product ON order_items (product_id);
"""

WORDS = """
    falcon otter heron willow lantern copper cedar compass anchor mast plank rope sail barge garden winter market lemon
    quiet signal paper engine bridge cloud marble silver velvet candle window thunder meadow orbit saffron pepper
    walnut pebble ember canvas ledger ribbon static query table index column schema vector packet socket buffer thread
""".split()
ENDINGS = (".", ".", ".", "!", "? \u2014 \u201cyes\u201d", ' "quoted".', ".\n")
STATUSES = ("published",) * 7 + ("draft",) * 2 + ("archived",)
ORDER_STATUSES = ("paid",) * 6 + ("shipped",) * 3 + ("pending",) * 2 + ("cancelled",)

Value = str | int | float | None
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows the tables have."""

    authors: int = 1_000
    posts: int = 100_000
    comments: int = 300_000
    tags: int = 200
    products: int = 5_000
    orders: int = 50_000


FULL = Counts()
#: For a look at whether everything works.
SMALL = Counts(authors=50, posts=500, comments=1_500, tags=20, products=100, orders=200)


def build(path: Path, counts: Counts = FULL) -> None:
    """Make the database at `path`, analysed and in WAL mode. It appears there when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = off")
        connection.execute("PRAGMA synchronous = off")
        connection.executescript(f"BEGIN; {SCHEMA}")
        for table, rows in _Drawing(counts).tables():
            _insert(connection, table, rows)
        connection.execute("COMMIT")
        connection.executescript(f"{INDEXES} ANALYZE; PRAGMA journal_mode = wal;")
    finally:
        connection.close()
    unfinished.replace(path)


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[Row]) -> None:
    columns = len(connection.execute(f"PRAGMA table_info({table})").fetchall())
    connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)


class _Drawing:
    """The rows of each table in turn. All are drawn from one generator, so their order belongs to what is drawn."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._random = random.Random(SEED)
        self._sentences = [self._sentence() for _ in range(4096)]
        self._times = [
            time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_704_067_200 + second * 977 % 60_000_000))
            for second in range(1 << 16)
        ]

    def tables(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """Yield each table's name and rows; a table comes after those that it refers to."""
        yield "authors", self._authors()
        yield "posts", self._posts()
        yield "comments", self._comments()
        yield "tags", ((tag, f"{WORDS[tag % len(WORDS)]}-{tag}") for tag in range(1, self._counts.tags + 1))
        yield "post_tags", self._post_tags()
        yield "products", self._products()
        yield "orders", self._orders()
        yield "order_items", self._order_items()

    def _authors(self) -> Iterator[Row]:
        for author in range(1, self._counts.authors + 1):
            name = f"{self._word().title()} {self._word().title()}"
            yield author, name, f"author{author}@example.org", self._text(2, 2), self._time()

    def _posts(self) -> Iterator[Row]:
        for post in range(1, self._counts.posts + 1):
            words = self._random.choices(WORDS, k=4)
            status = self._random.choice(STATUSES)
            yield (
                post, self._one_of(self._counts.authors), " ".join(words).capitalize(), f"{words[0]}-{words[1]}-{post}",
                self._text(10, 18), status, int(self._random.expovariate(1 / 800)),
                round(self._random.uniform(1, 5), 2), None if status == "draft" else self._time(), self._time(),
            )  # fmt: skip

    def _comments(self) -> Iterator[Row]:
        for comment in range(1, self._counts.comments + 1):
            post, author = self._one_of(self._counts.posts), self._one_of(self._counts.authors)
            yield comment, post, author, self._text(1, 3), self._time()

    def _post_tags(self) -> Iterator[Row]:
        for post in range(1, self._counts.posts + 1):
            for tag in sorted(self._random.sample(range(1, self._counts.tags + 1), 3)):
                yield post, tag

    def _products(self) -> Iterator[Row]:
        for product in range(1, self._counts.products + 1):
            name = " ".join(self._random.choices(WORDS, k=3))
            yield product, f"SKU-{product:06}", name, self._price(), self._random.randint(0, 1000)

    def _orders(self) -> Iterator[Row]:
        for order in range(1, self._counts.orders + 1):
            customer, status = self._one_of(self._counts.authors), self._random.choice(ORDER_STATUSES)
            yield order, customer, status, self._price(), self._time()

    def _order_items(self) -> Iterator[Row]:
        for item in range(1, 2 * self._counts.orders + 1):
            order, product = self._one_of(self._counts.orders), self._one_of(self._counts.products)
            yield item, order, product, self._random.randint(1, 5), self._price()

    def _sentence(self) -> str:
        words = " ".join(self._random.choices(WORDS, k=self._random.randint(6, 14)))
        return words.capitalize() + self._random.choice(ENDINGS)

    def _text(self, fewest: int, most: int) -> str:
        return " ".join(self._random.choices(self._sentences, k=self._random.randint(fewest, most)))

    def _word(self) -> str:
        return self._random.choice(WORDS)

    def _one_of(self, count: int) -> int:
        return self._random.randint(1, count)

    def _price(self) -> float:
        return round(self._random.uniform(1, 500), 2)

    def _time(self) -> str:
        return self._random.choice(self._times)

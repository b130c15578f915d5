import pytest

from tests.schema.conftest import SchemaOf
from wherry.schema.model import ForeignKey, Relationship

PARENTS = """
    CREATE TABLE one (id INTEGER PRIMARY KEY, code TEXT UNIQUE, plain);
    CREATE TABLE two (a, b, c, PRIMARY KEY (a, b));
    CREATE TABLE nokey (a);
"""


@pytest.mark.parametrize(
    ("child", "keys"),
    [
        ("x REFERENCES one", [("t_x_fkey", ("x",), "one", ("id",))]),
        ("x REFERENCES ONE (CODE)", [("t_x_fkey", ("x",), "one", ("code",))]),
        ("x, y, FOREIGN KEY (Y, X) REFERENCES two", [("t_y_x_fkey", ("y", "x"), "two", ("a", "b"))]),
        ("x, y, FOREIGN KEY (x, y) REFERENCES two (b, a)", [("t_x_y_fkey", ("x", "y"), "two", ("b", "a"))]),
        (
            "x REFERENCES one, y REFERENCES one (code)",
            [("t_x_fkey", ("x",), "one", ("id",)), ("t_y_fkey", ("y",), "one", ("code",))],
        ),
        (
            "x REFERENCES one REFERENCES one (code)",
            [("t_x_fkey", ("x",), "one", ("id",)), ("t_x_fkey1", ("x",), "one", ("code",))],
        ),
        ("x CONSTRAINT c REFERENCES one, FOREIGN KEY (x) REFERENCES one (id)", [("c", ("x",), "one", ("id",))]),
        ("x REFERENCES missing, y REFERENCES one", [("t_y_fkey", ("y",), "one", ("id",))]),
        ("x REFERENCES one (missing)", []),
        ("x REFERENCES two", []),
        ("x REFERENCES nokey", []),
        ("x REFERENCES seen", []),
        ("x REFERENCES t", []),
        ("x PRIMARY KEY, y REFERENCES T", [("t_y_fkey", ("y",), "t", ("x",))]),
    ],
)
def test_foreign_keys_are_resolved(
    schema_of: SchemaOf, child: str, keys: list[tuple[str, tuple[str, ...], str, tuple[str, ...]]]
) -> None:
    schema = schema_of(PARENTS + f"CREATE VIEW seen AS SELECT 1 AS id; CREATE TABLE t ({child})")
    assert schema.tables["t"].foreign_keys == tuple(
        ForeignKey(name, "t", columns, parent, referenced) for name, columns, parent, referenced in keys
    )


def test_a_key_whose_referred_column_is_not_unique_relates_nothing(schema_of: SchemaOf) -> None:
    schema = schema_of(PARENTS + "CREATE TABLE t (x REFERENCES one (plain), y REFERENCES nokey (a))")
    assert [key.name for key in schema.tables["t"].foreign_keys] == ["t_x_fkey", "t_y_fkey"]
    assert schema.relationships == {}
    assert schema.relationships_of("t") == ()


def test_a_deferred_key_is_said_to_be(schema_of: SchemaOf) -> None:
    schema = schema_of(
        PARENTS
        + """
        CREATE TABLE t (
            x REFERENCES one DEFERRABLE INITIALLY DEFERRED,
            y REFERENCES one ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
            z REFERENCES one NOT DEFERRABLE INITIALLY DEFERRED,
            FOREIGN KEY (y) REFERENCES one (code) ON UPDATE CASCADE deferrable /* */ initially
                deferred CONSTRAINT last FOREIGN KEY (z) REFERENCES one (code))
        """
    )
    assert [(key.name, key.deferred) for key in schema.tables["t"].foreign_keys] == [
        ("t_x_fkey", True),
        ("t_y_fkey", False),
        ("t_z_fkey", False),
        ("t_y_fkey1", True),
        ("last", False),
    ]
    assert schema.has_deferred_keys


@pytest.mark.parametrize(
    ("child", "deferred"),
    [
        ("x REFERENCES missing DEFERRABLE INITIALLY DEFERRED", True),
        ("x REFERENCES one DEFERRABLE", False),
        ("x DEFAULT deferred REFERENCES one", False),
        ("x DEFAULT 'DEFERRABLE INITIALLY DEFERRED' REFERENCES one", False),
        ("x REFERENCES one", False),
    ],
)
def test_a_schema_with_deferred_keys_is_said_to_have_some(schema_of: SchemaOf, child: str, deferred: bool) -> None:
    assert schema_of(PARENTS + f"CREATE TABLE t ({child})").has_deferred_keys is deferred


@pytest.mark.parametrize(
    "child",
    [
        "x INT CONSTRAINT named REFERENCES one",
        'x INT CONSTRAINT "named" REFERENCES [one] ("id")',
        "x INT CONSTRAINT dangling CONSTRAINT named REFERENCES one",
        "x DECIMAL(10, 2) CONSTRAINT a NOT NULL CONSTRAINT b DEFAULT ((1, 2) = (1, 2)) CONSTRAINT named REFERENCES one",
        "x INT, CONSTRAINT named FOREIGN KEY (x) REFERENCES one",
        "x INT, CONSTRAINT a UNIQUE (x) CONSTRAINT named FOREIGN KEY (X) REFERENCES one CONSTRAINT c CHECK (x > 0)",
        "x INT, CHECK (x <> 'CONSTRAINT z REFERENCES one,)') CONSTRAINT 'named' FOREIGN KEY ('x') REFERENCES one",
        "x INT, -- CONSTRAINT other UNIQUE (x)\n/* , ( */ CONSTRAINT `named` FOREIGN KEY(x)REFERENCES one",
        "x INT CONSTRAINT a COLLATE nocase CONSTRAINT named REFERENCES one ON DELETE SET DEFAULT MATCH FULL",
        '"constraint" INT, x INT CONSTRAINT named REFERENCES one CHECK ("constraint" IN (1, (2)))',
    ],
)
def test_constraints_names_are_read_from_any_text(schema_of: SchemaOf, child: str) -> None:
    schema = schema_of(PARENTS + f"CREATE TABLE t ({child})")
    assert schema.tables["t"].foreign_keys == (ForeignKey("named", "t", ("x",), "one", ("id",)),)


@pytest.mark.parametrize(
    "child",
    [
        "x INT REFERENCES one CONSTRAINT late",
        "x INT CONSTRAINT other NOT NULL REFERENCES one",
        "x INT CONSTRAINT other CHECK (x > 0) REFERENCES one",
        "x INT CONSTRAINT dangling, FOREIGN KEY (x) REFERENCES one",
        "x INT, CONSTRAINT other UNIQUE (x), FOREIGN KEY (x) REFERENCES one",
    ],
)
def test_the_name_of_another_constraint_is_not_taken(schema_of: SchemaOf, child: str) -> None:
    schema = schema_of(PARENTS + f"CREATE TABLE t ({child})")
    assert [key.name for key in schema.tables["t"].foreign_keys] == ["t_x_fkey"]


def test_names_survive_changes_of_the_table(schema_of: SchemaOf) -> None:
    schema = schema_of(
        PARENTS
        + """
        CREATE TABLE t (x INT, CONSTRAINT first FOREIGN KEY (x) REFERENCES one);
        ALTER TABLE t ADD COLUMN y INT CONSTRAINT second REFERENCES one;
        ALTER TABLE t RENAME COLUMN x TO "x, y";
        ALTER TABLE t RENAME TO "new (name";
        ALTER TABLE one RENAME TO "uno";
        """
    )
    assert {key.name: key.columns for key in schema.tables["new (name"].foreign_keys} == {
        "first": ("x, y",),
        "second": ("y",),
    }
    assert {r.target for r in schema.relationships_of("new (name")} == {"uno"}


def test_unique_constraints_have_their_names(schema_of: SchemaOf) -> None:
    schema = schema_of(
        """CREATE TABLE t (a INT CONSTRAINT "a'" UNIQUE, b INT UNIQUE, c INT CONSTRAINT pk PRIMARY KEY,
                           CONSTRAINT bc UNIQUE (B COLLATE nocase DESC, c) ON CONFLICT IGNORE)"""
    )
    assert {key.columns: key.name for key in schema.tables["t"].unique_keys} == {
        ("c",): "pk",
        ("a",): "a'",
        ("b",): "t_b_key",
        ("b", "c"): "bc",
    }


def test_the_library_of_films_is_related_as_by_hand(schema_of: SchemaOf) -> None:
    schema = schema_of(
        """
        CREATE TABLE artist (id INTEGER PRIMARY KEY);
        CREATE TABLE album (id INTEGER PRIMARY KEY, artist_id INT REFERENCES artist);
        CREATE TABLE track (id INTEGER PRIMARY KEY, album_id INT REFERENCES album);
        CREATE TABLE playlist (id INTEGER PRIMARY KEY);
        CREATE TABLE playlist_track (
            playlist_id INT REFERENCES playlist, track_id INT REFERENCES track, PRIMARY KEY (playlist_id, track_id));
        CREATE TABLE employee (id INTEGER PRIMARY KEY, reports_to INT REFERENCES employee);
        CREATE TABLE locker (employee_id INTEGER PRIMARY KEY REFERENCES employee);
        """
    )

    def describe(r: Relationship) -> str:
        through = f" by {r.junction.table}" if r.junction else ""
        return f"{r.cardinality} {r.source}.{r.source_columns[0]} {r.target}.{r.target_columns[0]}{through}"

    assert {source: [describe(r) for r in found] for source, found in schema.relationships.items()} == {
        "artist": ["one-to-many artist.id album.artist_id"],
        "album": ["many-to-one album.artist_id artist.id", "one-to-many album.id track.album_id"],
        "track": [
            "many-to-one track.album_id album.id",
            "one-to-many track.id playlist_track.track_id",
            "many-to-many track.id playlist.id by playlist_track",
        ],
        "playlist": [
            "one-to-many playlist.id playlist_track.playlist_id",
            "many-to-many playlist.id track.id by playlist_track",
        ],
        "playlist_track": [
            "many-to-one playlist_track.playlist_id playlist.id",
            "many-to-one playlist_track.track_id track.id",
        ],
        "employee": [
            "many-to-one employee.reports_to employee.id",
            "one-to-many employee.id employee.reports_to",
            "one-to-one employee.id locker.employee_id",
        ],
        "locker": ["one-to-one locker.employee_id employee.id"],
    }

-- The database that the official clients are tried against: every kind of key, relationship, type and table, in few rows.

CREATE TABLE directors (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    born INTEGER,
    mentor_id INTEGER REFERENCES directors (id)
);
INSERT INTO directors VALUES
    (1, 'Ada Marlow', 1931, NULL),
    (2, 'Bruno Tessari', 1948, 1),
    (3, 'Chiyo Arata', 1970, 2),
    (4, 'Dov Lerner', NULL, 2);

CREATE TABLE films (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    year INTEGER,
    rating REAL,
    in_print BOOLEAN,
    director_id INTEGER REFERENCES directors (id),
    details JSON,
    tags JSON,
    poster BLOB,
    gross INTEGER,
    released DATE,
    plot TEXT
);
INSERT INTO films VALUES
    (1, 'The Salt Road', 1964, 7.5, 1, 1, '{"length": 101, "sound": {"mono": true}, "reels": [{"feet": 900}, {"feet": 870}], "note": null}',
     '["desert", "classic"]', x'00ff10', 9007199254740993, '1964-03-02', 'A caravan crosses the desert with salt and a secret.'),
    (2, 'Night Ferry', 1979, 8.25, 0, 2, '{"length": 88, "sound": {"mono": false}}',
     '["sea", "noir"]', NULL, 1200000, '1979-11-20', 'A detective boards the night ferry to find a lost brother.'),
    (3, 'Paper Harbour', 1979, NULL, NULL, 2, NULL,
     '["sea"]', x'', NULL, NULL, 'Children fold a harbour of paper ships.'),
    (4, '100% Cotton', 1998, 6.0, 1, 3, '{"length": 120, "language": "ja"}',
     '[]', NULL, -5, '1998-01-01', 'A tailor, a strike and a lost ferry ticket.'),
    (5, 'Été, "bis"', 2004, 9.0, 1, NULL, '{"length": 95}',
     NULL, NULL, 0, '2004-07-14', 'Two summers in one town.'),
    (6, 'a, (b) c', NULL, 3.5, 0, 3, '{"length": "long"}',
     '["odd,comma", "classic"]', NULL, 42, NULL, NULL);

CREATE VIRTUAL TABLE films_index USING fts5 (title, plot, content='films', content_rowid='id');
INSERT INTO films_index (films_index) VALUES ('rebuild');

-- one-to-one: the foreign key is the primary key
CREATE TABLE specs (
    film_id INTEGER PRIMARY KEY REFERENCES films (id),
    camera TEXT,
    frames REAL
);
INSERT INTO specs VALUES (1, 'Arri 35', 24), (2, 'Bolex', 16.5);

CREATE TABLE actors (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT NOT NULL);
INSERT INTO actors VALUES (1, 'Ines', 'Vale'), (2, 'Jon', 'Orr'), (3, 'Kim', 'Vale'), (4, NULL, 'Zed');

-- many-to-many: a junction with a column of its own
CREATE TABLE roles (
    film_id INTEGER REFERENCES films (id),
    actor_id INTEGER REFERENCES actors (id),
    character TEXT,
    PRIMARY KEY (film_id, actor_id)
) WITHOUT ROWID;
INSERT INTO roles VALUES
    (1, 1, 'Sister Agnes'), (1, 2, 'The Guide'), (2, 1, 'Captain'), (2, 3, 'Lost Brother'), (4, 2, 'Tailor');

-- composite primary key, and a composite foreign key to it
CREATE TABLE awards (
    year INTEGER,
    category TEXT,
    film_id INTEGER REFERENCES films (id),
    PRIMARY KEY (year, category)
);
INSERT INTO awards VALUES (1965, 'picture', 1), (1980, 'picture', 2), (1980, 'sound', 2), (1999, 'costume', 4);
CREATE TABLE speeches (
    id INTEGER PRIMARY KEY,
    year INTEGER,
    category TEXT,
    words INTEGER,
    FOREIGN KEY (year, category) REFERENCES awards (year, category)
);
INSERT INTO speeches VALUES (1, 1965, 'picture', 120), (2, 1980, 'sound', 9), (3, 1980, 'sound', 31);

-- two foreign keys between the same two tables
CREATE TABLE addresses (id INTEGER PRIMARY KEY, town TEXT);
INSERT INTO addresses VALUES (1, 'Porto'), (2, 'Lille'), (3, 'Turku');
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    item TEXT,
    billing_id INTEGER,
    shipping_id INTEGER,
    CONSTRAINT billing FOREIGN KEY (billing_id) REFERENCES addresses (id),
    CONSTRAINT shipping FOREIGN KEY (shipping_id) REFERENCES addresses (id)
);
INSERT INTO orders VALUES (1, 'reel', 1, 2), (2, 'lens', 2, 2), (3, 'lamp', NULL, 3);

CREATE TABLE "odd, names" ("the id" INTEGER PRIMARY KEY, "Größe (cm)" REAL, "select" TEXT, "a.b" TEXT, "c:d" TEXT);
INSERT INTO "odd, names" VALUES (1, 1.5, 'one', 'dot', 'colon'), (2, 2.5, 'two', NULL, NULL);

CREATE VIEW recent_films AS SELECT id, title, year, director_id FROM films WHERE year >= 1979;
CREATE VIEW film_counts AS SELECT director_id, count(*) AS films FROM films GROUP BY director_id;

-- what is written to
CREATE TABLE tickets (
    id INTEGER PRIMARY KEY,
    holder TEXT NOT NULL,
    seat TEXT UNIQUE,
    price NUMERIC DEFAULT 10 CONSTRAINT fair_price CHECK (price >= 0),
    paid BOOLEAN DEFAULT 0,
    extras JSON,
    scan BLOB,
    film_id INTEGER REFERENCES films (id),
    label TEXT GENERATED ALWAYS AS (holder || '/' || seat)
);
CREATE TABLE stock (
    warehouse TEXT,
    sku TEXT,
    amount INTEGER NOT NULL DEFAULT 1,
    note TEXT,
    PRIMARY KEY (warehouse, sku)
);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE journal (line TEXT, at TEXT DEFAULT 'now');
CREATE VIEW open_tickets AS SELECT id, holder, seat FROM tickets WHERE NOT paid;
CREATE TRIGGER open_tickets_insert INSTEAD OF INSERT ON open_tickets BEGIN
    INSERT INTO tickets (id, holder, seat, paid) VALUES (new.id, new.holder, new.seat, 0);
END;
CREATE TRIGGER open_tickets_update INSTEAD OF UPDATE ON open_tickets BEGIN
    UPDATE tickets SET holder = new.holder, seat = new.seat WHERE id = old.id;
END;
CREATE TRIGGER open_tickets_delete INSTEAD OF DELETE ON open_tickets BEGIN
    DELETE FROM tickets WHERE id = old.id;
END;

-- whose rows are their owner's alone
CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL DEFAULT 'nobody',
    text TEXT,
    public BOOLEAN NOT NULL DEFAULT 0,
    secret TEXT
);
CREATE TABLE vault (id INTEGER PRIMARY KEY, code TEXT);
INSERT INTO vault VALUES (1, 'swordfish');

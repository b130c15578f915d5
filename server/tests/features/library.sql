-- A small film library with one table of each kind that the features ask for.
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, born INTEGER);
CREATE TABLE films (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    year INTEGER,
    rating REAL,
    director INTEGER CONSTRAINT films_director REFERENCES people (id),
    producer INTEGER CONSTRAINT films_producer REFERENCES people (id),
    facts JSON
);
CREATE TABLE posters (film INTEGER PRIMARY KEY REFERENCES films (id), artist TEXT);
CREATE TABLE roles (
    film INTEGER REFERENCES films (id),
    actor INTEGER REFERENCES people (id),
    part TEXT,
    PRIMARY KEY (film, actor)
) WITHOUT ROWID;
CREATE TABLE reviews (id INTEGER PRIMARY KEY, film INTEGER REFERENCES films (id), stars INTEGER, text TEXT);
CREATE TABLE genres (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES genres (id), name TEXT);
CREATE VIEW long_reviews AS SELECT id, film, stars, text FROM reviews WHERE length(text) > 5;
INSERT INTO people VALUES (1, 'Fritz Lang', 1890), (2, 'Jacques Tati', 1907), (3, 'Brigitte Helm', 1908), (4, 'Unknown', NULL);
INSERT INTO films VALUES
    (1, 'Metropolis', 1927, 8.3, 1, 4, '{"reels": 9, "tags": ["city", "robot"], "cut": {"year": 2010, "lost": false}, "s": "9"}'),
    (2, 'M', 1931, 8.3, 1, NULL, '{"reels": 11, "tags": ["city"], "cut": null, "s": "true"}'),
    (3, 'Playtime', 1967, NULL, 2, 2, NULL),
    (4, 'Été*100%_', NULL, 5.5, NULL, NULL, 'not json');
INSERT INTO posters VALUES (1, 'Schulz-Neudamm');
INSERT INTO roles VALUES (1, 3, 'Maria'), (3, 2, 'Hulot'), (1, 4, 'Worker'), (3, 4, NULL);
INSERT INTO reviews VALUES (1, 1, 5, 'a city'), (2, 1, 4, 'long'), (3, 2, NULL, 'whistled'), (4, 3, 5, NULL);
INSERT INTO genres VALUES (1, NULL, 'drama'), (2, 1, 'crime'), (3, 2, 'noir');

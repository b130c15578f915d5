-- A film library: invented films and people, and what readers write about them.

CREATE TABLE studios (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    country TEXT NOT NULL,
    founded INTEGER NOT NULL CHECK (founded BETWEEN 1890 AND 2100)
) STRICT;

CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    born DATE NOT NULL,
    birthplace TEXT NOT NULL,
    biography TEXT
);
CREATE INDEX people_by_name ON people (name);

CREATE TABLE genres (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE films (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    year INTEGER NOT NULL CHECK (year BETWEEN 1890 AND 2100),
    decade INTEGER GENERATED ALWAYS AS (year / 10 * 10) VIRTUAL,
    released DATE,
    runtime INTEGER CHECK (runtime > 0), -- minutes
    in_colour BOOLEAN NOT NULL DEFAULT TRUE,
    studio_id INTEGER REFERENCES studios (id),
    director_id INTEGER REFERENCES people (id),
    sequel_to INTEGER REFERENCES films (id),
    details JSON NOT NULL DEFAULT '{}' CHECK (json_valid(details)), -- languages, format, awards
    plot TEXT,
    UNIQUE (title, year)
);
CREATE INDEX films_by_year ON films (year);
CREATE INDEX films_by_studio ON films (studio_id);
CREATE INDEX films_by_director ON films (director_id);
CREATE INDEX films_by_prequel ON films (sequel_to);

-- Who plays whom.
CREATE TABLE roles (
    film_id INTEGER NOT NULL REFERENCES films (id) ON DELETE CASCADE,
    person_id INTEGER NOT NULL REFERENCES people (id),
    character TEXT NOT NULL,
    billing INTEGER NOT NULL, -- 1 is the lead
    PRIMARY KEY (film_id, person_id)
);
CREATE INDEX roles_by_person ON roles (person_id);

CREATE TABLE film_genres (
    film_id INTEGER NOT NULL REFERENCES films (id) ON DELETE CASCADE,
    genre_id INTEGER NOT NULL REFERENCES genres (id),
    PRIMARY KEY (film_id, genre_id)
) WITHOUT ROWID;
CREATE INDEX film_genres_by_genre ON film_genres (genre_id);

-- user_id is the `sub` of the token that its owner signs in with.
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY,
    film_id INTEGER NOT NULL REFERENCES films (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
    body TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    UNIQUE (film_id, user_id)
);
CREATE INDEX reviews_by_user ON reviews (user_id);

CREATE TABLE lists (
    id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    UNIQUE (user_id, name)
);

CREATE TABLE list_items (
    list_id INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    film_id INTEGER NOT NULL REFERENCES films (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    note TEXT,
    PRIMARY KEY (list_id, film_id)
);
CREATE INDEX list_items_by_film ON list_items (film_id);

-- Every film with what its reviews say.
CREATE VIEW film_ratings AS
SELECT films.id, films.title, films.year, count(reviews.id) AS reviews, round(avg(reviews.rating), 2) AS rating
FROM films LEFT JOIN reviews ON reviews.film_id = films.id
GROUP BY films.id;

-- Films with their studio's name. Writable: a studio that is not there yet is founded in the film's year.
CREATE VIEW catalogue AS
SELECT films.id, films.title, films.year, studios.name AS studio, studios.country
FROM films LEFT JOIN studios ON studios.id = films.studio_id;

CREATE TRIGGER catalogue_insert INSTEAD OF INSERT ON catalogue
BEGIN
    INSERT INTO studios (name, country, founded)
    SELECT new.studio, coalesce(new.country, 'unknown'), new.year
    WHERE new.studio IS NOT NULL AND NOT EXISTS (SELECT 1 FROM studios WHERE name = new.studio);
    INSERT INTO films (id, title, year, studio_id)
    VALUES (new.id, new.title, new.year, (SELECT id FROM studios WHERE name = new.studio));
END;

CREATE TRIGGER catalogue_update INSTEAD OF UPDATE ON catalogue
BEGIN
    INSERT INTO studios (name, country, founded)
    SELECT new.studio, coalesce(new.country, 'unknown'), new.year
    WHERE new.studio IS NOT NULL AND NOT EXISTS (SELECT 1 FROM studios WHERE name = new.studio);
    UPDATE films
    SET title = new.title, year = new.year, studio_id = (SELECT id FROM studios WHERE name = new.studio)
    WHERE id = old.id;
END;

CREATE TRIGGER catalogue_delete INSTEAD OF DELETE ON catalogue
BEGIN
    DELETE FROM films WHERE id = old.id;
END;

-- Full-text search over titles and plots; the triggers keep it true.
CREATE VIRTUAL TABLE films_search USING fts5 (
    title, plot, content = 'films', content_rowid = 'id', tokenize = 'porter unicode61'
);

CREATE TRIGGER films_search_insert AFTER INSERT ON films
BEGIN
    INSERT INTO films_search (rowid, title, plot) VALUES (new.id, new.title, new.plot);
END;

CREATE TRIGGER films_search_delete AFTER DELETE ON films
BEGIN
    INSERT INTO films_search (films_search, rowid, title, plot) VALUES ('delete', old.id, old.title, old.plot);
END;

CREATE TRIGGER films_search_update AFTER UPDATE OF id, title, plot ON films
BEGIN
    INSERT INTO films_search (films_search, rowid, title, plot) VALUES ('delete', old.id, old.title, old.plot);
    INSERT INTO films_search (rowid, title, plot) VALUES (new.id, new.title, new.plot);
END;

"""Draw the demonstration's library: the rows of every table, the same ones each time.

People are at work between their 20th and 80th year, studios make films after they were founded, and a film's plot
goes on as its first genre has it.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from uuid import UUID

from wherry.demo import words

Row = tuple[str | int | None, ...]

SEED = 1931
THIS_YEAR = 2026
PEOPLE = 170
FILMS_OF_PLACES = 84
SEQUELS = 8
READERS = 30


@dataclass(frozen=True, slots=True)
class Library:
    """The rows of each table, in the order of its columns in `COLUMNS`."""

    studios: tuple[Row, ...]
    people: tuple[Row, ...]
    genres: tuple[Row, ...]
    films: tuple[Row, ...]
    roles: tuple[Row, ...]
    film_genres: tuple[Row, ...]
    reviews: tuple[Row, ...]
    lists: tuple[Row, ...]
    list_items: tuple[Row, ...]


#: Tables before those that refer to them.
COLUMNS = {
    "studios": ("id", "name", "country", "founded"),
    "people": ("id", "name", "born", "birthplace", "biography"),
    "genres": ("id", "name"),
    "films": (
        "id", "title", "year", "released", "runtime", "in_colour", "studio_id", "director_id", "sequel_to", "details",
        "plot",
    ),
    "roles": ("film_id", "person_id", "character", "billing"),
    "film_genres": ("film_id", "genre_id"),
    "reviews": ("id", "film_id", "user_id", "rating", "body", "created_at"),
    "lists": ("id", "user_id", "name", "created_at"),
    "list_items": ("list_id", "film_id", "position", "note"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    name: str
    born: int
    trade: str


@dataclass(frozen=True, slots=True)
class _Title:
    text: str
    place: str
    year: int
    sequel_to: int | None = None


@dataclass(frozen=True, slots=True)
class _Film:
    id: int
    title: _Title
    genres: tuple[str, ...]
    appeal: float  #: what readers think of it on average


def draw_library() -> Library:
    """Return the library; every call gives equal rows."""
    draw = random.Random(SEED)
    people = _people(draw)
    films = [
        _Film(number, title, tuple(draw.sample(words.GENRES, draw.choice((1, 2, 2, 3)))), draw.uniform(1.8, 4.8))
        for number, title in enumerate(_titles(draw), 1)
    ]
    readers = [str(UUID(int=draw.getrandbits(128), version=4)) for _ in range(READERS)]
    lists, list_items = _lists(draw, films, readers)
    return Library(
        studios=tuple((number, *studio) for number, studio in enumerate(words.STUDIOS, 1)),
        people=tuple(_person(draw, person) for person in people),
        genres=tuple(enumerate(words.GENRES, 1)),
        films=tuple(_film(draw, film, people) for film in films),
        roles=tuple(role for film in films for role in _roles(draw, film, people)),
        film_genres=tuple((film.id, words.GENRES.index(genre) + 1) for film in films for genre in film.genres),
        reviews=_reviews(draw, films, readers),
        lists=lists,
        list_items=list_items,
    )


def _people(draw: random.Random) -> list[_Person]:
    names = draw.sample(list(product(words.FIRST_NAMES, words.LAST_NAMES)), PEOPLE)
    return [
        _Person(number, f"{first} {last}", draw.randint(1895, 2001), draw.choice(words.TRADES))
        for number, (first, last) in enumerate(names, 1)
    ]


def _person(draw: random.Random, person: _Person) -> Row:
    trade = f"{'an' if person.trade[0] in 'aeiou' else 'a'} {person.trade}"
    biographies = (
        f"Worked as {trade} before turning to film.",
        f"Was {trade} for some years, and still speaks of it as the better job.",
        f"The child of {trade}; came to film by answering the wrong advertisement.",
        None,
    )
    return person.id, person.name, _date(draw, person.born), draw.choice(words.PLACES), draw.choice(biographies)


def _titles(draw: random.Random) -> list[_Title]:
    """Return the films in the order in which they came out, then the sequels of some."""
    places = draw.sample(list(product(words.TITLES_OF_PLACES, words.PLACES)), FILMS_OF_PLACES)
    titles = [_Title(text, draw.choice(words.PLACES), draw.randint(1931, THIS_YEAR)) for text in words.TITLES]
    titles += [_Title(pattern.format(place), place, draw.randint(1931, THIS_YEAR - 12)) for pattern, place in places]
    titles.sort(key=lambda title: (title.year, title.text))
    # Each place's last film, so that no two sequels are called the same.
    followed = {title.place: number for number, title in enumerate(titles, 1) if title.place in title.text}
    return titles + [_sequel(draw, titles, followed[place]) for place in draw.sample(sorted(followed), SEQUELS)]


def _sequel(draw: random.Random, titles: Sequence[_Title], number: int) -> _Title:
    original = titles[number - 1]
    pattern, years = draw.choice(words.TITLES_OF_SEQUELS)
    return _Title(pattern.format(original.place), original.place, original.year + years, sequel_to=number)


def _film(draw: random.Random, film: _Film, people: Sequence[_Person]) -> Row:
    year = film.title.year
    studio, country = draw.choice(
        [(number, country) for number, (_, country, founded) in enumerate(words.STUDIOS, 1) if founded <= year]
    )
    spoken = [words.LANGUAGES[country], *draw.sample(("en", "fr", "de", "it"), draw.choice((0, 0, 1, 2)))]
    awards = [
        {"name": name, "year": year + draw.randint(0, 1)}
        for name in draw.sample(words.AWARDS, draw.choice((0, 0, 0, 1, 1, 2)) if film.appeal > 3 else 0)
    ]
    details = {"languages": list(dict.fromkeys(spoken)), "format": _format(draw, year), "awards": awards}
    plot = f"{draw.choice(words.HEROES)} in {film.title.place} {draw.choice(words.EVENTS)}. "
    return (
        film.id,
        film.title.text,
        year,
        _date(draw, year),
        draw.randint(62, 168),
        int(year > 1934 and draw.random() < (year - 1930) / 40),
        studio,
        draw.choice(_at_work(people, year)),
        film.title.sequel_to,
        json.dumps(details, ensure_ascii=False),
        plot + draw.choice(words.OUTCOMES[film.genres[0]]),
    )


def _roles(draw: random.Random, film: _Film, people: Sequence[_Person]) -> list[Row]:
    count = draw.choice((3, 4, 4, 5))
    cast = draw.sample(_at_work(people, film.title.year), count)
    characters = draw.sample(words.CHARACTERS, count)
    return [(film.id, *role, billing) for billing, role in enumerate(zip(cast, characters, strict=True), 1)]


def _reviews(draw: random.Random, films: Sequence[_Film], readers: Sequence[str]) -> tuple[Row, ...]:
    drawn = [(film, reader) for film in films for reader in draw.sample(readers, draw.choice((0, 1, 2, 3, 3, 4, 6)))]
    drawn = draw.sample(drawn, len(drawn))
    return tuple(
        (number, film.id, reader, rating, _opinion(draw, rating), _moment(draw, max(film.title.year, 2019)))
        for number, (film, reader) in enumerate(drawn, 1)
        for rating in (min(5, max(1, round(draw.gauss(film.appeal, 0.8)))),)
    )


def _opinion(draw: random.Random, rating: int) -> str | None:
    if draw.random() < 0.15:
        return None
    parts = [draw.choice(words.OPENINGS[rating]), draw.choice(words.REMARKS)]
    if draw.random() < 0.5:
        parts.append(draw.choice(words.CLOSINGS))
    return " ".join(parts)


def _lists(
    draw: random.Random, films: Sequence[_Film], readers: Sequence[str]
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    lists: list[Row] = []
    items: list[Row] = []
    for reader in readers:
        for name in draw.sample(words.LISTS, draw.choice((0, 1, 1, 2))):
            chosen = draw.sample(films, draw.randint(3, 9))
            lists.append((len(lists) + 1, reader, name, _moment(draw, 2019)))
            items += [
                (len(lists), film.id, position, draw.choice(words.NOTES) if draw.random() < 0.3 else None)
                for position, film in enumerate(chosen, 1)
            ]
    return tuple(lists), tuple(items)


def _at_work(people: Sequence[_Person], year: int) -> list[int]:
    """Return the ids of those who are 20 to 80 years old."""
    return [person.id for person in people if 20 <= year - person.born <= 80]


def _format(draw: random.Random, year: int) -> str:
    return "digital" if year > 2012 else draw.choice(("35 mm", "35 mm", "35 mm", "16 mm", "70 mm"))


def _date(draw: random.Random, year: int) -> str:
    return f"{year}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"


def _moment(draw: random.Random, earliest: int) -> str:
    day = _date(draw, draw.randint(earliest, THIS_YEAR))
    return f"{day}T{draw.randint(7, 23):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}Z"

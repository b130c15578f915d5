"""The secret's origin, and the keys that are made with it."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wherry.auth.keys import api_keys, load_secret
from wherry.auth.tokens import TokenVerifier
from wherry.config import Environment, Settings
from wherry.errors import StartError

SECRET = "a secret for tests of thirty-two bytes or more"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the database lies."""
    return tmp_path


def settings(folder: Path, **environ: str | Path) -> Settings:
    texts = {name: str(value) for name, value in environ.items()}
    return Settings.from_environment({"DATABASE_URL": str(folder / "app.db"), **texts})


def refusal(chosen: Settings) -> str:
    with pytest.raises(StartError) as caught:
        load_secret(chosen)
    return str(caught.value)


def test_the_secret_of_the_environment_goes_first(folder: Path) -> None:
    (folder / "secret").write_text("another secret of thirty-two bytes or more")

    assert load_secret(settings(folder, JWT_SECRET=SECRET, JWT_SECRET_FILE=folder / "secret")) == SECRET


def test_a_secret_file_is_read_without_the_white_space_around_it(folder: Path) -> None:
    (folder / "secret").write_text(f"{SECRET}\n")

    assert load_secret(settings(folder, JWT_SECRET_FILE=folder / "secret", NODE_ENV="production")) == SECRET


def test_in_development_a_secret_is_made_once_and_kept(folder: Path) -> None:
    made = load_secret(settings(folder))

    assert made is not None
    assert len(made) == 64
    assert load_secret(settings(folder)) == made
    assert list((folder / "app.wherry").iterdir()) == [folder / "app.wherry" / "jwt_secret"]
    assert stat.S_IMODE((folder / "app.wherry" / "jwt_secret").stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_secret(folder: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        made = set(threads.map(load_secret, [settings(folder)] * 64))

    assert len(made) == 1
    assert list((folder / "app.wherry").iterdir()) == [folder / "app.wherry" / "jwt_secret"]


def test_in_production_a_missing_secret_is_refused(folder: Path) -> None:
    load_secret(settings(folder))

    assert refusal(settings(folder, WHERRY_ENV="production")) == (
        "No JWT secret is set: in production set JWT_SECRET or JWT_SECRET_FILE, "
        "or JWKS_URL or JWKS_FILE to trust the tokens of another issuer."
    )


@pytest.mark.parametrize(("name", "value"), [("JWKS_URL", "https://id.example/keys"), ("JWKS_FILE", "/etc/keys.json")])
def test_in_production_public_keys_take_the_place_of_a_secret(folder: Path, name: str, value: str) -> None:
    chosen = settings(folder, WHERRY_ENV="production", **{name: value})

    assert chosen.environment is Environment.PRODUCTION
    assert load_secret(chosen) is None


def test_a_short_secret_is_refused(folder: Path) -> None:
    assert refusal(settings(folder, JWT_SECRET="short")) == (
        "The JWT secret has 5 bytes, but at least 32 are needed: set JWT_SECRET to a long random text."
    )


def test_a_secret_file_that_cannot_be_used_is_named(folder: Path) -> None:
    missing, empty, binary = (folder / name for name in ("missing", "empty", "binary"))
    empty.write_text(" \n")
    binary.write_bytes(b"\xff" * 40)

    assert refusal(settings(folder, JWT_SECRET_FILE=missing)) == (
        f"JWT_SECRET_FILE ({missing}) cannot be read: No such file or directory."
    )
    assert refusal(settings(folder, JWT_SECRET_FILE=empty)) == f"JWT_SECRET_FILE ({empty}) is empty."
    assert refusal(settings(folder, JWT_SECRET_FILE=binary)) == f"JWT_SECRET_FILE ({binary}) is not UTF-8 text."


def test_a_secret_that_cannot_be_kept_is_asked_for(folder: Path) -> None:
    (folder / "app.wherry").write_text("a file where the folder should be")

    assert refusal(settings(folder)) == (
        f"No JWT secret is set, and none can be kept in {folder}/app.wherry/jwt_secret: File exists; set JWT_SECRET."
    )


def test_where_nothing_can_be_kept_a_secret_may_be_made_for_one_process(folder: Path) -> None:
    (folder / "app.wherry").write_text("a file where the folder should be")

    first, second = (load_secret(settings(folder), may_forget=True) for _ in range(2))
    assert first is not None
    assert (len(first), first == second) == (64, False)


def test_the_keys_are_tokens_of_their_roles() -> None:
    keys = api_keys(SECRET)
    verifier = TokenVerifier(SECRET)

    assert list(keys) == ["anon", "service_role"]
    for role, key in keys.items():
        identity = verifier.verify(None, key.encode())
        assert (identity.role, identity.claim(("role",)), identity.claim(("iss",))) == (role, role, "wherry")


def test_the_keys_are_the_same_each_time_and_others_for_another_secret() -> None:
    assert api_keys(SECRET, datetime(2026, 1, 1, tzinfo=UTC)) == api_keys(SECRET, datetime(2029, 12, 31, tzinfo=UTC))
    assert set(api_keys(SECRET).values()).isdisjoint(api_keys(SECRET[::-1]).values())


@pytest.mark.parametrize("year", [2026, 2029, 2030, 2039])
def test_the_keys_are_valid_now_and_for_ten_years(year: int) -> None:
    key = api_keys(SECRET, datetime(year, 12, 31, tzinfo=UTC))["anon"].encode()

    for later in (0, 10):
        moment = datetime(year + later, 12, 31, tzinfo=UTC).timestamp()
        assert TokenVerifier(SECRET, clock=lambda moment=moment: moment).verify(None, key).role == "anon"

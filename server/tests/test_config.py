"""Settings: every variable, its default, and the sentence for a value that cannot be used."""

from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.config import OWN_EXPORT, SETTINGS, Environment, LogLevel, Settings, database_path
from wherry.errors import StartError


def settings(**environ: str) -> Settings:
    return Settings.from_environment({"DATABASE_URL": "/data/app.db", **environ})


def refusal(**environ: str) -> str:
    with pytest.raises(StartError) as caught:
        settings(**environ)
    return str(caught.value)


def test_a_database_is_all_that_must_be_named() -> None:
    assert settings() == Settings(
        database=Path("/data/app.db"),
        policies=Path("/data/policies.sql"),
        sidecar=Path("/data/app.wherry"),
        create=False,
        environment=Environment.DEVELOPMENT,
        host="127.0.0.1",
        port=4000,
        workers=1,
        jwt_secret=None,
        jwt_secret_file=None,
        jwks_url=None,
        jwks_file=None,
        jwt_audience=None,
        log_level=LogLevel.INFO,
        max_rows=None,
        max_body=10485760,
        statement_timeout=30.0,
        busy_timeout=5.0,
        inline_budget=0.005,
        shutdown_grace=10,
        cors_origins=("*",),
        trusted_proxies=(),
        wal=True,
        studio=OWN_EXPORT,
        readers=4,
    )


def test_the_defaults_of_the_value_are_those_of_the_environment() -> None:
    made = Settings(Path("/data/app.db"), Path("/data/policies.sql"), Path("/data/app.wherry"))

    assert made == settings()


def test_every_setting_is_read() -> None:
    environ = {
        "DATABASE_URL": "other.sqlite3",
        "PORT": "4001",
        "HOST": "::1",
        "WHERRY_ENV": "production",
        "NODE_ENV": "development",
        "WORKERS": "2",
        "JWT_SECRET": "s" * 40,
        "JWT_SECRET_FILE": "/run/secrets/jwt",
        "JWKS_URL": "https://id.example/keys",
        "JWKS_FILE": "",
        "JWT_AUD": "authenticated",
        "WHERRY_CREATE": "on",
        "WHERRY_POLICIES": "/etc/policies.sql",
        "WHERRY_SIDECAR": "/var/wherry",
        "LOG_LEVEL": "WARN",
        "WHERRY_MAX_ROWS": "1000",
        "WHERRY_MAX_BODY": "1024",
        "WHERRY_STATEMENT_TIMEOUT": "2.5",
        "WHERRY_BUSY_TIMEOUT": "1",
        "WHERRY_INLINE_BUDGET": "20",
        "WHERRY_SHUTDOWN_GRACE": "30",
        "WHERRY_CORS_ORIGINS": "https://a.example, https://b.example",
        "TRUSTED_PROXIES": "10.0.0.1, 172.16.0.0/12 fd00::/8",
        "WHERRY_WAL": "off",
        "WHERRY_STUDIO": "client/out",
        "WHERRY_READERS": "8",
    }

    assert set(environ) == {setting.name for setting in SETTINGS}
    assert Settings.from_environment(environ) == Settings(
        database=Path.cwd() / "other.sqlite3",
        policies=Path("/etc/policies.sql"),
        sidecar=Path("/var/wherry"),
        create=True,
        environment=Environment.PRODUCTION,
        host="::1",
        port=4001,
        workers=2,
        jwt_secret="s" * 40,
        jwt_secret_file=Path("/run/secrets/jwt"),
        jwks_url="https://id.example/keys",
        jwks_file=None,
        jwt_audience="authenticated",
        log_level=LogLevel.WARN,
        max_rows=1000,
        max_body=1024,
        statement_timeout=2.5,
        busy_timeout=1.0,
        inline_budget=0.02,
        shutdown_grace=30,
        cors_origins=("https://a.example", "https://b.example"),
        trusted_proxies=(ip_network("10.0.0.1"), ip_network("172.16.0.0/12"), ip_network("fd00::/8")),
        wal=False,
        studio=Path.cwd() / "client" / "out",
        readers=8,
    )


def test_every_setting_has_a_name_of_its_own_and_a_meaning() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    assert [setting.name for setting in SETTINGS if not setting.meaning.endswith(".")] == []


def test_an_override_goes_before_the_environment_and_none_is_no_override() -> None:
    made = Settings.from_environment({"DATABASE_URL": "/a.db", "PORT": "1"}, PORT=2, HOST=None, DATABASE_URL="/b.db")

    assert (made.database, made.port, made.host) == (Path("/b.db"), 2, "127.0.0.1")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert settings(PORT="", WHERRY_ENV=" ", JWT_SECRET="") == settings()


def test_production_listens_on_every_address() -> None:
    made = settings(NODE_ENV="production")

    assert (made.production, made.host) == (True, "0.0.0.0")


def test_wherry_env_goes_before_node_env() -> None:
    assert settings(WHERRY_ENV="development", NODE_ENV="production").production is False


def test_the_web_client_is_the_packages_own_or_a_folders_or_none() -> None:
    assert [settings(WHERRY_STUDIO=value).studio for value in ("", "off", "OFF", "./off")] == [
        OWN_EXPORT,
        None,
        None,
        Path.cwd() / "off",
    ]


def test_public_keys_come_from_a_file_or_an_address_and_not_from_both() -> None:
    assert settings(JWKS_FILE="/etc/keys.json").jwks_file == Path("/etc/keys.json")
    assert refusal(JWKS_FILE="/etc/keys.json", JWKS_URL="https://id.example/keys") == (
        "JWKS_URL and JWKS_FILE are both set: one place says which keys are trusted."
    )


def test_the_secret_is_not_shown_where_the_settings_are() -> None:
    assert "hush" not in repr(settings(JWT_SECRET="hush" * 10))


def test_a_server_without_a_database_says_how_to_name_one() -> None:
    with pytest.raises(
        StartError, match=r"^No database is named: give its path as an argument, or set DATABASE_URL\.$"
    ):
        Settings.from_environment({})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "http", "PORT is 'http': write a whole number from 0 to 65535."),
        ("PORT", "65536", "PORT is '65536': write a whole number from 0 to 65535."),
        ("PORT", "-1", "PORT is '-1': write a whole number from 0 to 65535."),
        ("PORT", "4_000", "PORT is '4_000': write a whole number from 0 to 65535."),
        ("WORKERS", "0", "WORKERS is '0': write a whole number from 1 to 256."),
        ("WORKERS", "1.5", "WORKERS is '1.5': write a whole number from 1 to 256."),
        ("WHERRY_MAX_ROWS", "0", "WHERRY_MAX_ROWS is '0': write a whole number of at least 1."),
        ("WHERRY_MAX_BODY", "10MB", "WHERRY_MAX_BODY is '10MB': write a whole number of at least 1."),
        (
            "WHERRY_STATEMENT_TIMEOUT",
            "never",
            "WHERRY_STATEMENT_TIMEOUT is 'never': write a number above 0, of at most 86400.",
        ),
        ("WHERRY_BUSY_TIMEOUT", "nan", "WHERRY_BUSY_TIMEOUT is 'nan': write a number above 0, of at most 3600."),
        ("WHERRY_BUSY_TIMEOUT", "inf", "WHERRY_BUSY_TIMEOUT is 'inf': write a number above 0, of at most 3600."),
        ("WHERRY_INLINE_BUDGET", "0", "WHERRY_INLINE_BUDGET is '0': write a number above 0, of at most 10000."),
        ("NODE_ENV", "test", "NODE_ENV is 'test': write one of development, production."),
        ("WHERRY_ENV", "prod", "WHERRY_ENV is 'prod': write one of development, production."),
        (
            "LOG_LEVEL",
            "loud",
            "LOG_LEVEL is 'loud': write one of trace, debug, info, warn, error, fatal, silent.",
        ),
        (
            "TRUSTED_PROXIES",
            "nginx",
            "TRUSTED_PROXIES is 'nginx': write addresses and networks, such as 10.0.0.1 or 172.16.0.0/12.",
        ),
        (
            "TRUSTED_PROXIES",
            "::1,::/129",
            "TRUSTED_PROXIES is '::1,::/129': write addresses and networks, such as 10.0.0.1 or 172.16.0.0/12.",
        ),
        ("WHERRY_WAL", "yes", "WHERRY_WAL is 'yes': write one of on, off."),
        (
            "JWKS_URL",
            "file:///etc/passwd",
            "JWKS_URL is 'file:///etc/passwd': write an address that begins with http:// or https://.",
        ),
        ("JWKS_URL", "https://", "JWKS_URL is 'https://': write an address that begins with http:// or https://."),
        ("JWKS_URL", "http://[", "JWKS_URL is 'http://[': write an address that begins with http:// or https://."),
        (
            "JWKS_URL",
            "http://a b/",
            "JWKS_URL is 'http://a b/': write an address that begins with http:// or https://.",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_sentence(name: str, value: str, sentence: str) -> None:
    assert refusal(**{name: value}) == sentence


@given(st.sampled_from([setting.name for setting in SETTINGS]), st.text())
def test_no_value_of_a_variable_raises_anything_but_a_start_error(name: str, value: str) -> None:
    with suppress(StartError):
        assert isinstance(settings(**{name: value}), Settings)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, in which paths are relative."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("data/app.db", "data/app.db"),
        ("./app.db", "app.db"),
        ("app.db", "app.db"),
        ("a:b.db", "a:b.db"),
        ("dir/a:b.db", "dir/a:b.db"),
        ("why?.db", "why?.db"),
        ("sqlite:///app.db", "app.db"),
        ("sqlite:///./app.db", "app.db"),
        ("sqlite:///../app.db", "../app.db"),
        ("sqlite:///no-such-folder/app.db", "no-such-folder/app.db"),
        ("sqlite+aiosqlite:///app.db", "app.db"),
        ("SQLite:///app.db", "app.db"),
        ("sqlite:app.db", "app.db"),
        ("file:app.db", "app.db"),
        ("file:./app.db", "app.db"),
        ("file:two%20words.db", "two words.db"),
    ],
)
def test_a_relative_database_url(url: str, path: str, folder: Path) -> None:
    assert database_path(url) == folder / path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/data/app.db", "/data/app.db"),
        ("sqlite:////data/app.db", "/data/app.db"),
        ("sqlite:/data/app.db", "/data/app.db"),
        ("sqlite:///tmp/app.db", "/tmp/app.db"),
        ("file:/data/app.db", "/data/app.db"),
        ("file:///data/app.db", "/data/app.db"),
        ("file://localhost/data/app.db", "/data/app.db"),
    ],
)
def test_an_absolute_database_url(url: str, path: str, folder: Path) -> None:
    assert database_path(url) == Path(path)


def test_three_slashes_mean_the_absolute_file_where_it_exists(folder: Path) -> None:
    absolute = folder / "app" / "dev.db"
    absolute.parent.mkdir()
    absolute.touch()

    assert database_path(f"sqlite://{absolute}") == absolute


def test_three_slashes_mean_the_relative_file_where_only_that_exists(folder: Path) -> None:
    (folder / "tmp").mkdir()
    (folder / "tmp" / "no-such-absolute.db").touch()

    assert database_path("sqlite:///tmp/no-such-absolute.db") == folder / "tmp" / "no-such-absolute.db"


def test_a_path_that_may_not_be_looked_at_is_no_file_that_exists(folder: Path) -> None:
    name = "n" * 300  # longer than a name can be: for the superuser the only path that cannot be looked at

    assert database_path(f"sqlite:///{name}/app.db") == folder / name / "app.db"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (":memory:", "DATABASE_URL is ':memory:', a database in memory; Wherry serves a file."),
        (
            "sqlite://",
            "DATABASE_URL names no file ('sqlite://'), but a database in memory: write sqlite:///path.",
        ),
        (
            "sqlite:///:memory:",
            "DATABASE_URL names no file ('sqlite:///:memory:'), but a database in memory: write sqlite:///path.",
        ),
        (
            "sqlite://data/app.db",
            "DATABASE_URL has two slashes ('sqlite://data/app.db'): write three, sqlite:///data/app.db.",
        ),
        (
            "sqlite:///a.db?mode=ro",
            "DATABASE_URL has parameters ('sqlite:///a.db?mode=ro'), which Wherry does not take: name the file alone.",
        ),
        (
            "postgresql://user:secret@host/db",
            "DATABASE_URL begins with 'postgresql:', but Wherry serves SQLite files: write sqlite:///path.",
        ),
        ("file://host/app.db", "DATABASE_URL names a file on another host ('file://host/app.db'): write file:///path."),
        ("file://", "DATABASE_URL names no file ('file://'): write file:///path."),
        ("file:%00", "DATABASE_URL holds a NUL character, which no path can."),
    ],
)
def test_a_database_url_that_is_no_file_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(StartError) as caught:
        database_path(url)
    assert str(caught.value) == sentence

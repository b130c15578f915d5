"""Every setting of the server, read once from the environment into one frozen value.

`SETTINGS` declares each by its name, its default and its meaning; docs/reference/settings.md repeats that table and
a test compares them. A value that cannot be used raises StartError with a sentence that names the variable.

Which file `DATABASE_URL` means (`database_path`):

1. a plain path, absolute or relative to the working directory;
2. `sqlite:////data/app.db`, with four slashes, is absolute (SQLAlchemy's form);
3. `sqlite:///app/dev.db`, with three, is relative for SQLAlchemy and absolute for others. The reading whose file
   exists wins, absolute first; if neither does, it is absolute where its directory exists (and is not `/`, which
   always does), else relative. What follows with `./` or `../` is always relative;
4. `sqlite:` without slashes, and `file:` as SQLite's URIs have it, percent-encoded, without parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from wherry.errors import StartError


class Environment(StrEnum):
    """Where the server runs: development is convenient, production refuses what is not safe."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    """The least severe lines that are written, by pino's names."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    FATAL = "fatal"
    SILENT = "silent"


class Switch(StrEnum):
    """A setting that is on or off."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of the environment; `default` is the text that stands in for it, empty where there is none."""

    name: str
    default: str
    meaning: str


SETTINGS = (
    Setting("DATABASE_URL", "", "The SQLite file to serve: a path, or an sqlite: or file: URL."),
    Setting("PORT", "4000", "The TCP port to listen on; 0 takes a free one."),
    Setting("HOST", "", "The address to listen on; 127.0.0.1 in development and 0.0.0.0 in production."),
    Setting("WHERRY_ENV", "", "development or production; without it NODE_ENV is read, without both development."),
    Setting("NODE_ENV", "development", "development or production, where WHERRY_ENV is not set."),
    Setting("WORKERS", "1", "The number of processes that answer requests."),
    Setting("JWT_SECRET", "", "The secret that tokens are signed and verified with (HS256), at least 32 bytes."),
    Setting("JWT_SECRET_FILE", "", "A file that holds the secret, where JWT_SECRET is not set."),
    Setting("JWKS_URL", "", "An http or https address of the public keys (JWK set) that also sign tokens."),
    Setting("JWKS_FILE", "", "A file with the public keys (JWK set) that also sign tokens."),
    Setting("JWT_AUD", "", "The audience that a token with an aud claim must name; not checked where empty."),
    Setting("WHERRY_CREATE", "off", "on makes an empty database where there is no file, off ends the start."),
    Setting("WHERRY_POLICIES", "", "The file that says who may do what; policies.sql beside the database."),
    Setting("WHERRY_SIDECAR", "", "The folder for what the server keeps; for app.db that is app.wherry beside it."),
    Setting(
        "LOG_LEVEL", "info", "The least severe log lines to write: trace, debug, info, warn, error, fatal, silent."
    ),
    Setting("WHERRY_MAX_ROWS", "", "The most rows that one response gives; not limited where empty."),
    Setting("WHERRY_MAX_BODY", "10485760", "The largest body of a request, in bytes."),
    Setting("WHERRY_STATEMENT_TIMEOUT", "30", "Seconds that a statement may run before it is interrupted."),
    Setting("WHERRY_BUSY_TIMEOUT", "5", "Seconds that a write waits for other processes that hold the file."),
    Setting(
        "WHERRY_INLINE_BUDGET", "5", "Milliseconds that a read may run on the event loop before a thread takes it."
    ),
    Setting(
        "WHERRY_SHUTDOWN_GRACE", "10", "Whole seconds that requests in flight have to end when the server is stopped."
    ),
    Setting("WHERRY_CORS_ORIGINS", "*", "The origins that browsers may call from, separated by commas; * for all."),
    Setting("TRUSTED_PROXIES", "", "The proxies in front, addresses and networks: only they are believed who asks."),
    Setting("WHERRY_WAL", "on", "on asks the database for WAL mode, off leaves its journal mode as it is."),
    Setting("WHERRY_STUDIO", "", "The folder of the web client's export to serve at /; off serves none."),
    Setting("WHERRY_READERS", "4", "The threads of each process that run slow reads."),
)

#: In a container nobody else hears the loopback; on a desk everybody would hear the rest.
_HOSTS = {Environment.DEVELOPMENT: "127.0.0.1", Environment.PRODUCTION: "0.0.0.0"}  # noqa: S104 - see above
#: Where the package's build puts the web client's export; there may be none.
OWN_EXPORT = Path(__file__).parent / "studio" / "export"
_DEFAULTS = {setting.name: setting.default for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server was told. Paths are absolute; times are in seconds, sizes in bytes."""

    database: Path
    policies: Path
    sidecar: Path
    create: bool = False
    environment: Environment = Environment.DEVELOPMENT
    host: str = "127.0.0.1"
    port: int = 4000
    workers: int = 1
    jwt_secret: str | None = field(default=None, repr=False)
    jwt_secret_file: Path | None = None
    jwks_url: str | None = None
    jwks_file: Path | None = None
    jwt_audience: str | None = None
    log_level: LogLevel = LogLevel.INFO
    max_rows: int | None = None
    max_body: int = 10 * 1024 * 1024
    statement_timeout: float = 30.0
    busy_timeout: float = 5.0
    inline_budget: float = 0.005
    shutdown_grace: int = 10
    cors_origins: tuple[str, ...] = ("*",)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    wal: bool = True
    studio: Path | None = OWN_EXPORT
    readers: int = 4

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **overrides: str | int | None) -> "Settings":
        """Read the settings; `overrides` (`PORT=4001`) go before the environment unless None.

        An empty variable counts as not set. Raises StartError.
        """
        given = {name: str(value) for name, value in overrides.items() if value is not None}
        read = _Reader({**environ, **given})
        environment = read.environment()
        database = read.database()
        if read.text("JWKS_URL") and read.text("JWKS_FILE"):
            raise StartError("JWKS_URL and JWKS_FILE are both set: one place says which keys are trusted.")
        return cls(
            database=database,
            policies=read.path("WHERRY_POLICIES") or database.parent / "policies.sql",
            sidecar=read.path("WHERRY_SIDECAR") or database.with_suffix(".wherry"),
            create=read.word("WHERRY_CREATE", Switch) is Switch.ON,
            environment=environment,
            host=read.text("HOST") or _HOSTS[environment],
            port=read.whole("PORT", least=0, most=65535),
            workers=read.whole("WORKERS", least=1, most=256),
            jwt_secret=read.text("JWT_SECRET"),
            jwt_secret_file=read.path("JWT_SECRET_FILE"),
            jwks_url=read.address("JWKS_URL"),
            jwks_file=read.path("JWKS_FILE"),
            jwt_audience=read.text("JWT_AUD"),
            log_level=read.word("LOG_LEVEL", LogLevel),
            max_rows=read.whole("WHERRY_MAX_ROWS", least=1) if read.text("WHERRY_MAX_ROWS") else None,
            max_body=read.whole("WHERRY_MAX_BODY", least=1),
            statement_timeout=read.number("WHERRY_STATEMENT_TIMEOUT", most=86400),
            busy_timeout=read.number("WHERRY_BUSY_TIMEOUT", most=3600),
            inline_budget=read.number("WHERRY_INLINE_BUDGET", most=10000) / 1000,
            shutdown_grace=read.whole("WHERRY_SHUTDOWN_GRACE", least=1, most=3600),
            cors_origins=tuple(filter(None, map(str.strip, read.value("WHERRY_CORS_ORIGINS").split(",")))),
            trusted_proxies=read.networks("TRUSTED_PROXIES"),
            wal=read.word("WHERRY_WAL", Switch) is Switch.ON,
            studio=read.studio(),
            readers=read.whole("WHERRY_READERS", least=1, most=256),
        )

    @property
    def production(self) -> bool:
        """True where what is not safe is refused."""
        return self.environment is Environment.PRODUCTION


def web_address(name: str, value: str) -> str:
    """Return the value of a setting or an argument that is an http or https address. Raises StartError."""
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not value.isprintable() or " " in value:
        raise StartError(f"{name} is {value!r}: write an address that begins with http:// or https://.")
    return value


def database_path(url: str) -> Path:
    """Return the absolute path of the file that a DATABASE_URL means; the module's docstring has the rules.

    Raises StartError for what is no file: another database, a database in memory, parameters.
    """
    kind, colon, rest = url.partition(":")
    scheme = kind.lower().partition("+")[0]
    if not colon or "/" in kind or (scheme not in ("sqlite", "sqlite3", "file") and not rest.startswith("//")):
        if url == ":memory:":
            raise StartError("DATABASE_URL is ':memory:', a database in memory; Wherry serves a file.")
        return _absolute(url)
    if scheme not in ("sqlite", "sqlite3", "file"):
        raise StartError(f"DATABASE_URL begins with '{kind}:', but Wherry serves SQLite files: write sqlite:///path.")
    if "?" in rest or "#" in rest:
        raise StartError(f"DATABASE_URL has parameters ({url!r}), which Wherry does not take: name the file alone.")
    return _file_uri(unquote(rest), url) if scheme == "file" else _sqlite_url(rest, url)


def _file_uri(rest: str, url: str) -> Path:
    """Return the file of an SQLite URI (https://www.sqlite.org/uri.html): the authority is empty or localhost."""
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        if authority not in ("", "localhost"):
            raise StartError(f"DATABASE_URL names a file on another host ({url!r}): write file:///path.")
        rest = slash + path
    if rest in ("", "/", ":memory:"):
        raise StartError(f"DATABASE_URL names no file ({url!r}): write file:///path.")
    return _absolute(rest)


def _sqlite_url(rest: str, url: str) -> Path:
    path = rest.removeprefix("//")
    if path in ("", "/", "/:memory:", ":memory:"):
        raise StartError(f"DATABASE_URL names no file ({url!r}), but a database in memory: write sqlite:///path.")
    if path == rest:
        return _absolute(path)
    if not path.startswith("/"):
        raise StartError(f"DATABASE_URL has two slashes ({url!r}): write three, sqlite:///{path}.")
    if path.startswith("//"):
        return _absolute(path[1:])
    relative = path[1:]
    if relative.startswith(("./", "../")):
        return _absolute(relative)
    as_absolute, as_relative = _absolute(path), _absolute(relative)
    if _certainly(as_absolute.is_file):
        return as_absolute
    if _certainly(as_relative.is_file):
        return as_relative
    folder = as_absolute.parent
    return as_absolute if folder != Path("/") and _certainly(folder.is_dir) else as_relative


def _certainly(question: Callable[[], bool]) -> bool:
    """Ask a path; no is also the answer where it may not be looked at, or is too long."""
    try:
        return question()
    except OSError:
        return False


def _absolute(path: str) -> Path:
    if "\0" in path:
        raise StartError("DATABASE_URL holds a NUL character, which no path can.")
    return Path(path).absolute()


_Word = TypeVar("_Word", bound=StrEnum)


class _Reader:
    """Reads single variables; a class because each needs the same mapping and the same defaults."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def value(self, name: str) -> str:
        return self._environ.get(name, "").strip() or _DEFAULTS[name]

    def text(self, name: str) -> str | None:
        return self.value(name) or None

    def environment(self) -> Environment:
        return self.word("WHERRY_ENV" if self.text("WHERRY_ENV") else "NODE_ENV", Environment)

    def database(self) -> Path:
        url = self.text("DATABASE_URL")
        if url is None:
            raise StartError("No database is named: give its path as an argument, or set DATABASE_URL.")
        return database_path(url)

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return None if value is None else Path(value).absolute()

    def studio(self) -> Path | None:
        is_off = self.value("WHERRY_STUDIO").lower() == Switch.OFF
        return None if is_off else self.path("WHERRY_STUDIO") or OWN_EXPORT

    def whole(self, name: str, *, least: int, most: int = 2**63 - 1) -> int:
        value = self.value(name)
        # isdecimal and the length keep int() from what it takes besides digits, and from huge texts.
        if not (value.isascii() and value.isdecimal() and len(value) < 20 and least <= int(value) <= most):
            limit = f"from {least} to {most}" if most < 2**63 - 1 else f"of at least {least}"
            raise StartError(f"{name} is {value!r}: write a whole number {limit}.")
        return int(value)

    def number(self, name: str, *, most: int) -> float:
        value = self.value(name)
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 < number <= most:  # also false for NaN
            raise StartError(f"{name} is {value!r}: write a number above 0, of at most {most}.")
        return number

    def word(self, name: str, words: type[_Word]) -> _Word:
        value = self.value(name).lower()
        if value not in list(words):
            raise StartError(f"{name} is {value!r}: write one of {', '.join(words)}.")
        return words(value)

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        written = self.value(name).replace(",", " ").split()
        try:
            return tuple(ip_network(network, strict=False) for network in written)
        except ValueError as error:
            raise StartError(
                f"{name} is {self.value(name)!r}: write addresses and networks, such as 10.0.0.1 or 172.16.0.0/12."
            ) from error

    def address(self, name: str) -> str | None:
        value = self.text(name)
        return None if value is None else web_address(name, value)

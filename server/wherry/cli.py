"""The command line: `wherry serve`, `wherry keys`, `wherry link`, `wherry demo`, `wherry backup`, `wherry restore`.

What cannot be done is said in one sentence on stderr, with the exit code 1; a command that is not understood gets
the exit code 2. Standard output belongs to the answer: the keys, the link, or the server's log.

Rooms are imported inside the commands, so that `wherry --help` doesn't wait for all of them.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wherry.errors import StartError

if TYPE_CHECKING:
    from wherry.config import Settings

app = typer.Typer(
    name="wherry",
    help="Serve any SQLite file as a REST API for the Supabase clients.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Database = Annotated[
    str | None,
    typer.Argument(metavar="[DATABASE]", show_default=False, help="The SQLite file; else DATABASE_URL names it."),
]


def main() -> None:
    """Run the command line and end the process."""
    try:
        app(_arguments(sys.argv[1:]))
    except StartError as error:
        print(f"wherry: {error}", file=sys.stderr)
        sys.exit(1)


def _arguments(given: list[str]) -> list[str]:
    """Leave out a `--workers` without a number at the end: a shell makes it of `--workers 1>>log`."""
    return given[:-1] if given[-1:] == ["--workers"] else given


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from wherry import __version__

        print(f"wherry {__version__}")
        raise typer.Exit


@app.command()
def serve(
    database: Database = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; else HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port to listen on; else PORT.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="The number of processes; else WORKERS.")] = None,
) -> None:
    """Serve a SQLite file."""
    from dataclasses import replace

    from wherry.auth.keys import load_secret
    from wherry.config import Settings
    from wherry.serving import listening_address
    from wherry.serving import serve as serve_requests
    from wherry.sqlite.file import inspect_file, make_file

    settings = Settings.from_environment(os.environ, DATABASE_URL=database, HOST=host, PORT=port, WORKERS=workers)
    if settings.create and make_file(settings.database):
        _log(settings, f"{settings.database} was made: there was no file, and WHERRY_CREATE is on.")
    state = inspect_file(settings.database)
    address, free_port = listening_address(settings.host, settings.port)
    secret = load_secret(settings, may_forget=state.read_only)
    settings = replace(settings, host=address, port=free_port, jwt_secret=secret)

    from wherry.app import create_app

    def greet() -> None:
        if not settings.production:
            print(_greeting(settings, state.reason), file=sys.stderr, flush=True)

    serve_requests(settings, create_app, serves=greet)


@app.command()
def keys(
    database: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Print the anon and the service_role key."""
    import json

    from wherry.auth.keys import api_keys, load_secret
    from wherry.config import Settings

    settings = Settings.from_environment(os.environ, DATABASE_URL=database)
    secret = load_secret(settings)
    if secret is None:
        raise StartError("Only public keys are trusted here: the other issuer makes the keys, or set JWT_SECRET.")
    made = api_keys(secret)
    print(json.dumps(made, indent=2) if as_json else "\n".join(f"{role}: {key}" for role, key in made.items()))


@app.command()
def link(
    database: Database = None,
    url: Annotated[
        str | None, typer.Option(metavar="BASE", show_default=False, help="Where the server is; else HOST and PORT.")
    ] = None,
) -> None:
    """Print a link that signs one browser in to Studio, once, within ten minutes."""
    from wherry.admin.links import LIFETIME, Links, link_address
    from wherry.auth.keys import can_sign
    from wherry.config import Settings, web_address
    from wherry.sqlite.file import require_file

    settings = Settings.from_environment(os.environ, DATABASE_URL=database)
    base = _address(settings) if url is None else web_address("--url", url)
    if settings.port == 0 and url is None:
        raise StartError("PORT is 0, so where the server listens is not known: say it with --url.")
    if "?" in base or "#" in base:
        raise StartError(f"--url is {base!r}: write it without a query and a fragment.")
    if not can_sign(settings):
        raise StartError("Only public keys are trusted here: sign in at the other issuer, or set JWT_SECRET.")
    require_file(settings.database)
    _become_owner(settings.database)
    print(link_address(base, Links(settings.sidecar).make()))
    print(f"It signs in the first browser that opens it, within {LIFETIME // 60} minutes.", file=sys.stderr)


@app.command()
def demo(path: Annotated[Path, typer.Argument(help="The SQLite file to make; it must not exist.")]) -> None:
    """Make the demo database, a film library with its policies."""
    from wherry.demo import build

    build(path)


@app.command()
def backup(
    database: Database = None,
    to: Annotated[Path | None, typer.Option(help="The folder; else backups in the sidecar.")] = None,
    keep: Annotated[int, typer.Option(min=1, help="How many backups to keep there; older ones are removed.")] = 7,
) -> None:
    """Make a verified copy of the database, which may be served meanwhile."""
    from wherry.backups import FOLDER, back_up
    from wherry.config import Settings

    settings = Settings.from_environment(os.environ, DATABASE_URL=database)
    print(back_up(settings.database, (to or settings.sidecar / FOLDER).absolute(), keep=keep))


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="The SQLite file to copy: a backup, or any other.")],
    database: Database = None,
) -> None:
    """Copy a backup to where the database is to be; nothing may be there."""
    from wherry.backups import restore as restore_backup
    from wherry.config import Settings

    settings = Settings.from_environment(os.environ, DATABASE_URL=database)
    restore_backup(backup.absolute(), settings.database)
    print(settings.database)


def _log(settings: "Settings", sentence: str) -> None:
    """Write a line of the log before there is a worker to write it."""
    from wherry.logs import LEVELS, JsonLog
    from wherry.observe import Notice

    log = JsonLog(level=LEVELS[settings.log_level])
    log(Notice(sentence))
    log.flush()


def _address(settings: "Settings") -> str:
    """Return where this machine reaches the server: an address that means every one becomes the loopback's."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - only compared
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _become_owner(path: Path) -> None:
    """Be the file's owner, if this is the superuser: what is made beside the file must be the server's to remove."""
    owner = path.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        try:
            os.setegid(owner.st_gid)
            os.seteuid(owner.st_uid)
        except OSError as error:
            raise StartError(f"{path} belongs to another user; run the command as that user.") from error


def _studio(settings: "Settings", address: str) -> list[str]:
    """Return the greeting's line with a link to Studio; none where it is not served, or no link can be kept."""
    from wherry.admin.links import Links, link_address
    from wherry.studio import has_export

    if settings.studio is None or not has_export(settings.studio):
        return []
    try:
        return [f"  studio        {link_address(address, Links(settings.sidecar).make())}"]
    except StartError:
        return [f"  studio        {address}/"]


def _greeting(settings: "Settings", read_only_reason: str) -> str:
    """Say in development where the server listens, what it serves, and how to call it."""
    from wherry.auth.keys import api_keys

    address = _address(settings)
    missing = "" if os.path.lexists(settings.policies) else " (no such file: only service_role reads and writes)"
    lines = [f"Wherry serves {settings.database} on {address}", f"  policies      {settings.policies}{missing}"]
    if read_only_reason:
        lines += [f"  read-only     {read_only_reason}"]
    if settings.jwt_secret is not None:
        made = api_keys(settings.jwt_secret)
        lines += [f"  {role:13} {key}" for role, key in made.items()]
        lines += _studio(settings, address)
        lines += [f"Try: curl {address}/api/rest/v1/ -H 'apikey: {made['service_role']}'"]
    return "\n".join(lines)

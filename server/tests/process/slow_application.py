"""A small application that the tests of `wherry.serving` serve, in a process of their own.

`python slow_application.py DATABASE` serves it as the environment's settings say. Each path is a behaviour; the
lifespan leaves a file beside the database, in which each line says what has happened in a worker.
"""

import asyncio
import os
import sys
from pathlib import Path

from wherry.asgi import Application, Receive, Scope, Send, read_body, respond
from wherry.config import Settings
from wherry.errors import StartError
from wherry.serving import listening_address, serve


def build(settings: Settings) -> Application:
    """Return the application, unless its folder holds a file named `refuse`."""
    folder = settings.database.parent
    if (folder / "refuse").exists():
        raise StartError("The folder holds a file named refuse.")

    def note(line: str) -> None:
        with (folder / "notes").open("a") as file:
            file.write(f"{line}\n")

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            if (folder / "fail").exists():
                await send({"type": "lifespan.startup.failed", "message": "The folder holds a file named fail."})
            if (folder / "raise").exists():
                raise StartError("The folder holds a file named raise.")
            if (folder / "slow").exists():
                note("starting")
                while not (folder / "go").exists():
                    await asyncio.sleep(0.01)
            note("started")
            await send({"type": "lifespan.startup.complete"})
            await receive()
            if (folder / "linger").exists():
                await asyncio.Event().wait()
            note("stopped")
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/pid":
            await respond(send, 200, [], str(os.getpid()).encode())
        elif scope["path"] == "/body":
            note("reading")
            await respond(send, 200, [], await read_body(receive, 1000))
        elif scope["path"] == "/wait":
            note("waiting")
            while not (folder / "go").exists():
                await asyncio.sleep(0.01)
            await respond(send, 200, [], b"waited")
        else:
            os._exit(3)

    return application


def main(database: str) -> None:
    """Serve until told to end, after saying on standard output where."""
    settings = Settings.from_environment(os.environ, DATABASE_URL=database)
    address, port = listening_address(settings.host, settings.port)
    print(port, flush=True)
    serve(
        Settings.from_environment(os.environ, DATABASE_URL=database, HOST=address, PORT=port),
        build,
        serves=lambda: None,
    )


if __name__ == "__main__":
    try:
        main(str(Path(sys.argv[1])))
    except StartError as error:
        sys.exit(f"wherry: {error}")

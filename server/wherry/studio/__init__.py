"""Studio, the web client, served at `/` without a web server beside this one: its static export, as nginx serves it.

    files       the export's files, read once at the start
    responses   what is answered for each path: headers and bytes, made at the start
    codings     which coding of a body a client prefers
    site        the ASGI application

All is known at the start, so a request is one look into a table. No path is ever made of a request's: nothing outside
the export can be reached.
"""

from wherry.studio.files import has_export, read_export
from wherry.studio.site import Site

__all__ = ["Site", "has_export", "read_export"]

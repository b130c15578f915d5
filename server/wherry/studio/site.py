"""The ASGI application that serves the export."""

from collections.abc import Iterable

from wherry.asgi import Application, Receive, Scope, Send, exchange_of, respond
from wherry.errors import MethodNotAllowed
from wherry.studio.codings import preferred
from wherry.studio.files import File
from wherry.studio.responses import Variant, Variants, make_responses

#: What log and metrics call all of its paths: there are many, and who wants to know looks at the URL.
ROUTE = "studio"


class Site:
    """The export, path by path; a class because the table is made once."""

    def __init__(self, export: Iterable[File]) -> None:
        self._responses = make_responses(export)

    def endpoint(self, path: str, method: str) -> Application | None:
        """Return the application for a path; None where there is neither a page nor one that says so to a reader."""
        responses = self._responses
        if path in responses.files or path in responses.folders:
            return self
        return self if responses.missing is not None and method in ("GET", "HEAD") else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD; raises MethodNotAllowed for other methods."""
        exchange = exchange_of(scope)
        exchange.route = ROUTE
        path: str = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed(
                f"{path} has no method {scope['method'][:20]}", allow="GET, HEAD", hint="Use GET or HEAD."
            )
        responses, headers = self._responses, exchange.headers
        variants = responses.files.get(path)
        if variants is not None:
            variant = _choose(variants, headers.get(b"accept-encoding"))
            if b"if-none-match" in headers and _is_known(variant.tag, headers[b"if-none-match"]):
                await respond(send, 304, variant.unchanged)
            else:
                await respond(send, 200, variant.headers, variant.body)
        elif path in responses.folders:
            query = scope["query_string"]
            location = responses.folders[path] + (b"?" + query if query else b"")
            await respond(send, 301, [(b"location", location), (b"cache-control", b"no-cache")])
        else:
            assert responses.missing is not None
            variant = _choose(responses.missing, headers.get(b"accept-encoding"))
            await respond(send, 404, variant.headers, variant.body)


def _choose(variants: Variants, accept_encoding: bytes | None) -> Variant:
    return variants[preferred(accept_encoding, variants)]


def _is_known(tag: bytes, if_none_match: bytes) -> bool:
    """Compare weakly, as RFC 9110, 13.1.2 has it: a proxy that compresses makes our tags weak."""
    known = [written.strip().removeprefix(b"W/") for written in if_none_match.split(b",")]
    return tag in known or known == [b"*"]

"""What is answered for each path of the export: headers and bytes, made at the start.

Headers are those that the nginx of the container stack sends:

- Files below `/_next/static/` have their content's hash in their names, so they are kept for a year. All else is asked
  for again each time, and answered 304 where it has not changed.
- Each page says which scripts it may run: those of this origin, and inline ones by their hash (CSP 3). Styles may be
  inline. Nothing else comes from elsewhere, nothing may frame a page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from posixpath import splitext
from typing import Final
from urllib.parse import quote

from wherry.asgi import Headers
from wherry.studio.codings import IDENTITY
from wherry.studio.files import File

CACHED_FOR_EVER: Final = "/_next/static/"

_INDEX: Final = "index.html"
_TYPES: Final = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".mjs": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".json": b"application/json; charset=utf-8",
    ".map": b"application/json; charset=utf-8",
    ".txt": b"text/plain; charset=utf-8",
    ".xml": b"application/xml; charset=utf-8",
    ".webmanifest": b"application/manifest+json; charset=utf-8",
    ".svg": b"image/svg+xml; charset=utf-8",
    ".png": b"image/png",
    ".jpg": b"image/jpeg",
    ".jpeg": b"image/jpeg",
    ".gif": b"image/gif",
    ".webp": b"image/webp",
    ".avif": b"image/avif",
    ".ico": b"image/x-icon",
    ".woff2": b"font/woff2",
    ".woff": b"font/woff",
    ".ttf": b"font/ttf",
    ".wasm": b"application/wasm",
    ".pdf": b"application/pdf",
}
_POLICY: Final = (
    "default-src 'self'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_GUARDS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A body in one coding; `headers` go with it, `unchanged` with a 304 in its place."""

    tag: bytes
    headers: Headers
    unchanged: Headers
    body: bytes


#: The variants of a file by their codings, the most compressed first.
Variants = Mapping[bytes, Variant]


@dataclass(frozen=True, slots=True)
class Responses:
    """The table: each path's file; paths of folders, with where they lead; and the page that says 404, if there is one.

    `files` holds a page twice, as `/tables/` and as `/tables/index.html`.
    """

    files: Mapping[str, Variants]
    folders: Mapping[str, bytes]
    missing: Variants | None


def make_responses(export: Iterable[File]) -> Responses:
    """Make the table of an export."""
    files: dict[str, Variants] = {}
    folders: dict[str, bytes] = {}
    for file in export:
        files[file.path] = variants = _variants(file)
        folder, _, name = file.path.rpartition("/")
        if name == _INDEX:
            files[f"{folder}/"] = variants
            if folder:
                folders[folder] = quote(f"{folder}/", errors="surrogateescape").encode()
    return Responses(files, folders, files.get("/404.html"))


def _variants(file: File) -> Variants:
    kind = splitext(file.path)[1].lower()
    is_kept = file.path.startswith(CACHED_FOR_EVER)
    common: Headers = [
        (b"cache-control", b"public, max-age=31536000, immutable" if is_kept else b"no-cache"),
        (b"content-security-policy", _policy(file).encode()),
        *_GUARDS,
    ]
    if len(file.bodies) > 1:
        common.append((b"vary", b"Accept-Encoding"))
    content_type = (b"content-type", _TYPES.get(kind, b"application/octet-stream"))
    made: dict[bytes, Variant] = {}
    for coding, body in file.bodies.items():
        # the bytes of each coding are others, and so is their tag (RFC 9110, 8.8.3.3)
        tag = b'"%b"' % sha256(body).hexdigest()[:32].encode()
        unchanged = [*common, (b"etag", tag)]
        coded = [] if coding == IDENTITY else [(b"content-encoding", coding)]
        made[coding] = Variant(tag, [content_type, *coded, *unchanged], unchanged, body)
    return made


def _policy(file: File) -> str:
    return _POLICY.format(scripts="".join(f" '{written}'" for written in file.script_hashes))

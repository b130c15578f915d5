"""An upstream for the web in the server's place: it says what it was sent, and speaks WebSocket and Server-Sent Events.

Runs in a container, so it uses nothing but Python's own library. Port 4000 answers; port 4001 takes no connection.
"""

import asyncio
import base64
import hashlib
import json
import socket
from collections.abc import Awaitable, Callable

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_more = asyncio.Event()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request and close the connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    path = target.partition("?")[0].removeprefix("/api")
    if "upgrade" in headers:
        await websocket(headers, reader, writer)
    elif path in ("/events", "/unasked"):
        await events(writer, b"" if path == "/events" else b"x-accel-buffering: no\r\n")
    elif path == "/more":
        _more.set()
        await respond(writer, 200, {})
    elif path == "/busy":
        await respond(writer, 503, {"code": "55P03", "message": "its own", "details": None, "hint": None})
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        await respond(writer, 200, {"method": method, "target": target, "headers": headers, "bytes": len(body)})
    writer.close()


async def respond(writer: asyncio.StreamWriter, status: int, body: object) -> None:
    """Send JSON."""
    content = json.dumps(body).encode()
    writer.write(
        b"HTTP/1.1 %d Some\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
        % (status, len(content), content)
    )
    await writer.drain()


async def events(writer: asyncio.StreamWriter, header: bytes) -> None:
    """Send one event, and a second one when somebody has asked for more."""
    _more.clear()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n"
    writer.write(head + header + b"\r\ndata: first\n\n")
    await writer.drain()
    await _more.wait()
    writer.write(b"data: second\n\n")
    await writer.drain()


async def websocket(headers: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shake hands, send one short message back, and wait for the other side to close."""
    accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + _MAGIC).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-accept: %b\r\n\r\n" % accept
    )
    await writer.drain()
    length = (await reader.readexactly(2))[1] & 0x7F
    mask = await reader.readexactly(4)
    text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(await reader.readexactly(length)))
    writer.write(bytes([0x81, length]) + text)
    await writer.drain()
    await reader.read()


async def main() -> None:
    """Serve until killed."""
    full = socket.create_server(("0.0.0.0", 4001), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    for connection in waiting:
        connection.setblocking(False)
        connection.connect_ex(full.getsockname())
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] = answer
    server = await asyncio.start_server(serve, "0.0.0.0", 4000)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

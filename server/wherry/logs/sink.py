"""Observations as JSON lines, with pino's field names (https://getpino.io), one line for each request.

    {"level":30,"time":1767225600000,"pid":7,"hostname":"web","reqId":"5a…-1","req":{"method":"GET","url":"/…",
     "remoteAddress":"10.0.0.9","userAgent":"curl/8"},"role":"anon","res":{"statusCode":200,"bytes":54},
     "responseTime":0.412,"msg":"request completed"}

`level` is 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal; `time` milliseconds of the epoch; `responseTime`
milliseconds. As pino-http does by default, a request is info, and error from status 500 on; what health checks and
scrapers ask is debug. Rules that hold for every line:

- Nothing that a client sends can forge or break a line. URLs are written percent-encoded, other text as JSON.
- No bodies, no Authorization, no cookies. A query parameter named like a secret, and whatever looks like a JWT, is
  censored.
- Lines are written by the block, and at once after an error. A line is at most 4096 bytes (PIPE_BUF), and so is a
  write to a pipe: POSIX keeps such writes whole, so the lines of several workers never mix.
"""

import os
import stat
from collections.abc import Mapping
from socket import gethostname
from time import time_ns

from wherry.logs.lines import DEBUG, ERROR, INFO, LEVELS, WARN, line_of
from wherry.logs.text import censor_tokens, json, quoted, url
from wherry.observe import Observation, RequestServed

__all__ = ["LEVELS", "JsonLog"]

LONGEST_LINE = 4096  #: bytes, with its newline: PIPE_BUF on Linux

_QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})
_BLOCK_LINES = 200  #: lines that are gathered before they are written; about 64 kB
_HELD_BYTES = 8 * 1024 * 1024  #: that wait for a reader of stdout that does not keep up; more is dropped, and said so
_CALLERS = 1024  #: remembered callers (address, user agent, role)
_METHODS: Mapping[str, str] = {
    name: f'"{name}"' for name in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
}


class JsonLog:
    """The log of one process: a sink of observations that writes to a file descriptor.

    It is a class because it holds lines until there is a block of them. Call `flush` a few times a second and at the
    end. `level` is the lowest that is written.
    """

    def __init__(self, descriptor: int = 1, *, level: int = INFO) -> None:
        self._descriptor = descriptor
        self._level = level
        self._lines: list[str] = []
        self._unwritten = b""  # what the descriptor did not take
        self._dropped = 0
        self._process = f'"pid":{os.getpid()},"hostname":{quoted(gethostname(), 256)}'
        self._callers: dict[tuple[str | None, bytes, str | None], tuple[str, str]] = {}
        self._block = _block_size(descriptor)

    def __call__(self, observation: Observation) -> None:
        """Write what the observation says, if its level is high enough."""
        if observation.__class__ is RequestServed:
            self._request(observation)
            return
        line = line_of(observation)
        if line is not None:
            level, message, fields = line
            self.write(level, message, **fields)

    def _request(self, served: RequestServed) -> None:
        method, route, status, seconds, bytes_out, request_id, role, path, query, remote, user_agent = served
        level = ERROR if status >= 500 else DEBUG if route in _QUIET_ROUTES else INFO
        if level < self._level:
            return
        caller = self._callers.get((remote, user_agent, role)) or self._remember(remote, user_agent, role)
        lines = self._lines
        lines.append(
            f'{{"level":{level},"time":{time_ns() // 1_000_000},{self._process},"reqId":"{request_id}",'
            f'"req":{{"method":{_METHODS.get(method) or quoted(method, 64)},"url":"{url(path, query)}"{caller[0]}}}'
            f'{caller[1]},"res":{{"statusCode":{status},"bytes":{bytes_out}}},"responseTime":{seconds * 1000:.3f},'
            f'"msg":"{"request completed" if status != 499 else "request aborted"}"}}\n'
        )
        if level >= ERROR or len(lines) >= _BLOCK_LINES:
            self.flush()

    def _remember(self, remote: str | None, user_agent: bytes, role: str | None) -> tuple[str, str]:
        """Return what a line says of the caller, inside `req` and after it."""
        address = f',"remoteAddress":{quoted(remote, 128)}' if remote else ""
        agent = f',"userAgent":{quoted(user_agent.decode("latin-1"), 256)}' if user_agent else ""
        caller = (address + agent, f',"role":{quoted(role, 128)}' if role else "")
        if len(self._callers) >= _CALLERS:
            self._callers.clear()
        self._callers[remote, user_agent, role] = caller
        return caller

    def write(self, level: int, message: str, **fields: object) -> None:
        """Write a line with a message and fields of its own; an error is written at once, with all before it."""
        if level < self._level:
            return
        members = "".join(f",{quoted(name, 64)}:{json(value)}" for name, value in fields.items() if value is not None)
        if len(members.encode()) > LONGEST_LINE - 1536:
            members = f',"cut":{quoted(members, LONGEST_LINE - 1536)}'
        head = f'{{"level":{level},"time":{time_ns() // 1_000_000},{self._process}'
        self._lines.append(f'{head}{members},"msg":{quoted(censor_tokens(message), 1024)}}}\n')
        if level >= ERROR or len(self._lines) >= _BLOCK_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered, as far as the descriptor takes it now; never raises for a reader that is gone."""
        if self._dropped and len(self._unwritten) < _HELD_BYTES:
            dropped, self._dropped = self._dropped, 0
            self.write(WARN, f"{dropped} log lines were dropped: nobody read them fast enough")
        if not self._lines and not self._unwritten:
            return
        lines, self._lines = self._lines, []
        if len(self._unwritten) < _HELD_BYTES:
            self._unwritten += "".join(lines).encode()
        else:
            self._dropped += len(lines)
        self._unwritten = _write(self._descriptor, self._unwritten, self._block)


def _block_size(descriptor: int) -> int:
    """Return how many bytes to write at once: what arrives whole where other processes write to the same place."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return LONGEST_LINE
    return 1 << 20 if stat.S_ISREG(mode) else LONGEST_LINE


def _write(descriptor: int, lines: bytes, block: int) -> bytes:
    """Write lines in blocks of whole lines; return the rest that cannot be written now."""
    start = 0
    while start < len(lines):
        end = lines.rfind(b"\n", start, start + block) + 1
        # no newline: the rest of a line of which a part was written
        end = end or lines.find(b"\n", start) + 1
        try:
            start += os.write(descriptor, lines[start:end])
        except BlockingIOError:  # somebody set the pipe to O_NONBLOCK, and it is full
            return lines[start:]
        except OSError:  # the reader is gone (EPIPE), the disk is full: serving goes on without a log
            return b""
    return b""

"""The runtime directory, in which the workers of a server show each other what they have counted.

Any worker may get the scrape. Each publishes its samples to the directory that the parent process made (about once a
second, and before it answers a scrape itself), and a scrape adds the others' to its own. What a worker counted stays
counted after its end: its file stays, until the next worker that starts adds it to `retired`. A worker that lives
holds a lock on its `.alive` file; the kernel lets go of it however the worker ends.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from msgspec import DecodeError, msgpack

from wherry.errors import StartError
from wherry.metrics.samples import FAMILIES, Key, Samples, counted, merge

RUNTIME_DIRECTORY = "WHERRY_RUNTIME_DIR"  #: the environment variable with which the parent tells its workers


class Shared:
    """One worker's place in the runtime directory; a class because it holds a lock as long as it exists.

    Call `close` at the end, after the last `publish`. Raises StartError where the directory cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._name = token_hex(8)
        try:
            with self._locked(fcntl.LOCK_EX):
                self._retire()
                self._alive = (directory / f"{self._name}.alive").open("wb")
                fcntl.flock(self._alive, fcntl.LOCK_EX)
        except OSError as error:
            raise StartError(f"The runtime directory {directory} cannot be used: {error.strerror}.") from error

    def publish(self, samples: Samples) -> None:
        """Write this worker's samples; a full or vanished disk only costs the others their sight of them."""
        with suppress(OSError):
            self._replace(self._name, samples)

    def close(self) -> None:
        """Let go of the lock: what was published is that of a worker that has ended."""
        self._alive.close()

    def others(self) -> list[Samples]:
        """Read what the other workers have published; of those that ended, only what they counted."""
        found: list[Samples] = []
        with suppress(OSError), self._locked(fcntl.LOCK_SH):
            for path in self._directory.glob("*.samples"):
                if path.stem != self._name:
                    samples = _load(path)
                    found.append(samples if self._lives(path.stem) else counted(samples))
        return found

    def _retire(self) -> None:
        """Add up the files of workers that ended, so that there are never more than workers and one."""
        ended = [path.stem for path in self._directory.glob("*.alive") if not self._lives(path.stem)]
        if ended:
            samples = [_load(self._directory / f"{name}.samples") for name in ("retired", *ended)]
            self._replace("retired", merge(map(counted, samples)))
            for name in ended:
                for ending in ("samples", "alive"):
                    (self._directory / f"{name}.{ending}").unlink(missing_ok=True)

    def _lives(self, name: str) -> bool:
        try:
            with (self._directory / f"{name}.alive").open("rb") as alive:
                fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _replace(self, name: str, samples: Samples) -> None:
        new = self._directory / f"{name}.new"
        new.write_bytes(msgpack.encode(list(samples.items())))
        new.replace(self._directory / f"{name}.samples")

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with (self._directory / "lock").open("ab") as lock:
            fcntl.flock(lock, how)
            yield


def _load(path: Path) -> Samples:
    """Read the samples of a file; none from one that is not there, or not ours."""
    try:
        read = msgpack.decode(path.read_bytes(), type=list[tuple[Key, list[float]]])
    except (OSError, DecodeError):
        return {}
    return {key: numbers for key, numbers in read if key and key[0] in FAMILIES}

"""Writes lines in a thread of its own: a full disk or a slow pipe holds up no request and takes no memory.

Lines gather for up to a second or 64 KiB. When the file does not keep up and 4 MiB wait, further lines are
dropped and counted: a log that is missing lines is better than a server that is missing answers.
"""

import asyncio
import contextlib
import os
import queue
import threading
from typing import Final

from serving.errors import SettingsError

STANDARD_OUTPUT: Final = "-"
_GATHER_SECONDS, _GATHER_BYTES = 1.0, 64 << 10
_MOST_BYTES = 4 << 20
_CLOSE_SECONDS = 2.0


class Writer:
    """Appends to one file. Belongs to the event loop that is running when it is made, but for its thread."""

    def __init__(self, path: str) -> None:
        """Raises SettingsError when the file cannot be opened."""
        self.dropped = 0
        """Lines that were lost because the file did not keep up."""
        self._descriptor = _open(path)
        self._owns_descriptor = path != STANDARD_OUTPUT
        self._gathered: list[bytes] = []
        self._gathered_bytes = self._waiting_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._work: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, daemon=True, name="access-log")
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Have one line written; it ends in a newline."""
        if self._waiting_bytes + self._gathered_bytes + len(line) > _MOST_BYTES:
            self.dropped += 1
            return
        self._gathered.append(line)
        self._gathered_bytes += len(line)
        if self._gathered_bytes >= _GATHER_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(_GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Hand what has gathered to the thread."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._gathered:
            self._waiting_bytes += self._gathered_bytes
            self._work.put(b"".join(self._gathered))
            self._gathered.clear()
            self._gathered_bytes = 0

    def close(self) -> None:
        """Write what is left, for at most two seconds: whoever does not read must not keep the process alive."""
        self.flush()
        self._work.put(None)
        self._thread.join(_CLOSE_SECONDS)
        if self._owns_descriptor and not self._thread.is_alive():
            os.close(self._descriptor)

    def _write_all(self) -> None:
        while (lines := self._work.get()) is not None:
            lost = 0
            try:
                _write(self._descriptor, lines)
            except (
                OSError
            ):  # a full disk, a pipe whose reader is gone: there is nowhere to say so but the metric
                lost = lines.count(b"\n")
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                self._loop.call_soon_threadsafe(self._note_written, len(lines), lost)

    def _note_written(self, size: int, lost: int) -> None:
        self._waiting_bytes -= size
        self.dropped += lost


def _write(descriptor: int, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _open(path: str) -> int:
    if path == STANDARD_OUTPUT:
        return 1
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise SettingsError(
            f"expected an access_log that can be written at {path}, got: {error.strerror}; - is the standard output"
        ) from error

"""Steps on the screen: a line when one ends with its seconds, and a sign of life while it lasts.

A build takes minutes; silence for minutes looks like a hang. Each running step therefore says what it is
doing and for how long: on a terminal in one line that is rewritten twice a second, elsewhere, in a CI log or
a file, in a plain line every ten seconds. Not with rich, because this runs before anything is installed
(docs/adr/0002).
"""

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

FIRST_SIGN_SECONDS = 3.0
SIGN_EVERY_SECONDS = 10.0
REWRITE_EVERY_SECONDS = 0.5
CLEAR_LINE = "\r\033[K"
"""ECMA-48: carriage return, then erase to the end of the line."""


class Step:
    """One step under way; `note` says what is happening right now."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self.title = title
        self.note = ""
        self._stream = stream
        self._began = time.monotonic()
        self._over = threading.Event()
        self._is_terminal = stream.isatty()

    def print_line(self) -> None:
        """Print title, note and elapsed seconds, for good."""
        print(self._line(), file=self._stream, flush=True)

    def tick_until_over(self) -> None:
        """Give a sign of life now and then until `end` is called."""
        if self._is_terminal:
            self._rewrite_until_over()
            return
        wait_seconds = FIRST_SIGN_SECONDS
        while not self._over.wait(wait_seconds):
            self.print_line()
            wait_seconds = SIGN_EVERY_SECONDS

    def clear(self) -> None:
        """Leave no half line behind on a terminal."""
        if self._is_terminal:
            print(CLEAR_LINE, end="", file=self._stream, flush=True)

    def _rewrite_until_over(self) -> None:
        while not self._over.wait(REWRITE_EVERY_SECONDS):
            width = shutil.get_terminal_size().columns - 1
            print(CLEAR_LINE + self._line()[:width], end="", file=self._stream, flush=True)

    def _line(self) -> str:
        seconds = time.monotonic() - self._began
        note = f": {self.note}" if self.note else ""
        return f"  {self.title}{note} ({seconds:.1f} s)"

    def end(self) -> None:
        """Stop the signs of life."""
        self._over.set()


class Progress:
    """Where steps are printed, and how long each of them took."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self.seconds: dict[str, float] = {}

    def say(self, line: str) -> None:
        """Print a line that belongs to no step."""
        print(line, file=self._stream, flush=True)

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Time a step; its last line is printed on success only, an error speaks for itself."""
        step = Step(title, self._stream)
        began = time.monotonic()
        ticker = threading.Thread(target=step.tick_until_over, daemon=True)
        ticker.start()
        try:
            yield step
        finally:
            step.end()
            ticker.join()
            step.clear()
        self.seconds[title] = round(time.monotonic() - began, 1)
        step.print_line()

"""Steps on the screen: a line when one ends with its seconds, and a sign of life while it lasts.

A build takes minutes; silence for minutes looks like a hang. Each running step therefore says every ten
seconds what it is doing and for how long. Plain lines on purpose: they read the same in a terminal, in
a CI log and in a file.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

FIRST_SIGN_SECONDS = 3.0
SIGN_EVERY_SECONDS = 10.0


class Step:
    """One step under way; `note` says what is happening right now."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self.title = title
        self.note = ""
        self._stream = stream
        self._began = time.monotonic()
        self._over = threading.Event()

    def print_line(self) -> None:
        """Print title, note and elapsed seconds."""
        seconds = time.monotonic() - self._began
        note = f": {self.note}" if self.note else ""
        print(f"  {self.title}{note} ({seconds:.1f} s)", file=self._stream, flush=True)

    def tick_until_over(self) -> None:
        """Print a sign of life now and then until `end` is called."""
        wait_seconds = FIRST_SIGN_SECONDS
        while not self._over.wait(wait_seconds):
            self.print_line()
            wait_seconds = SIGN_EVERY_SECONDS

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
        self.seconds[title] = round(time.monotonic() - began, 1)
        step.print_line()

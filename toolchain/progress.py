"""Steps on the screen: a line when one ends with its seconds, and a sign of life while it lasts.

A build takes minutes; silence for minutes looks like a hang. Each running step therefore says what it is
doing and for how long: on a terminal in one line that is rewritten twice a second, elsewhere, in a CI log or
a file, in a plain line every five seconds. A quiet command shows only steps that last. Not with rich, because this runs before anything is installed
(docs/adr/0002).
"""

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

FIRST_SIGN_SECONDS = 3.0
SIGN_EVERY_SECONDS = 5.0
REWRITE_EVERY_SECONDS = 0.5
CLEAR_LINE = "\r\033[K"
"""ECMA-48: carriage return, then erase to the end of the line."""


class Step:
    """One step under way; `note` says what is happening right now."""

    def __init__(
        self,
        title: str,
        stream: TextIO,
        *,
        is_quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title = title
        self.note = ""
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._over = threading.Event()
        self._is_terminal = stream.isatty()
        self._is_quiet = is_quiet

    def print_line(self) -> None:
        """Print title, note and elapsed seconds, for good."""
        print(self._line(), file=self._stream, flush=True)

    def tick_until_over(self) -> None:
        """Give a sign of life now and then until `end` is called."""
        is_patient = self._is_quiet or not self._is_terminal
        wait_seconds = FIRST_SIGN_SECONDS if is_patient else REWRITE_EVERY_SECONDS
        while not self._over.wait(wait_seconds):
            if self._is_terminal:
                self._rewrite()
                wait_seconds = REWRITE_EVERY_SECONDS
            else:
                self.print_line()
                wait_seconds = SIGN_EVERY_SECONDS

    def print_end(self) -> None:
        """Print the last line, unless it is one that a quiet command leaves out."""
        if not self._is_quiet or self._seconds() >= FIRST_SIGN_SECONDS:
            self.print_line()

    def clear(self) -> None:
        """Leave no half line behind on a terminal."""
        if self._is_terminal:
            print(CLEAR_LINE, end="", file=self._stream, flush=True)

    def _rewrite(self) -> None:
        width = shutil.get_terminal_size().columns - 1
        print(CLEAR_LINE + self._line()[:width], end="", file=self._stream, flush=True)

    def _line(self) -> str:
        note = f": {self.note}" if self.note else ""
        return f"  {self.title}{note} ({self._seconds():.1f} s)"

    def _seconds(self) -> float:
        return self._clock() - self._began

    def end(self) -> None:
        """Stop the signs of life."""
        self._over.set()


class Progress:
    """Where steps are printed, and how long each of them took."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        is_quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_quiet` for a command that is to be heard only when something lasts."""
        self._stream = sys.stdout if stream is None else stream
        self._is_quiet, self._clock = is_quiet, clock
        self.seconds: dict[str, float] = {}

    def say(self, line: str) -> None:
        """Print a line that belongs to no step."""
        print(line, file=self._stream, flush=True)

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Time a step; its last line is printed on success only, an error speaks for itself."""
        step = Step(title, self._stream, is_quiet=self._is_quiet, clock=self._clock)
        began = self._clock()
        ticker = threading.Thread(target=step.tick_until_over, daemon=True)
        ticker.start()
        try:
            yield step
        finally:
            step.end()
            ticker.join()
            step.clear()
        self.seconds[title] = round(self._clock() - began, 1)
        step.print_end()

"""Signs of life where there is no terminal: when nothing was said for a while, one line says what is under way, and how far.

A log that stands still for a minute looks like a program that hangs. Who shows steps or files tells this when it said something; a thread
asks now and then, and only then speaks itself, so that a quick verb prints no line more than it did.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

LONGEST_SILENCE_SECONDS: Final = 5.0
_ASKED_EVERY_SECONDS: Final = 1.0


class Silence:
    """How long nothing was said since something began, and what to say then."""

    def __init__(
        self, under_way: Callable[[float], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`under_way` says what is going on, given the seconds since it began."""
        self._under_way, self._clock = under_way, clock
        self._began = clock()
        self._spoke: float | None = None

    def begin(self, *, spoke: bool = True) -> None:
        """Hear that something new began; as it stands, that was said, too."""
        self._began = self._clock()
        if spoke or self._spoke is None:
            self._spoke = self._began

    def break_if_long(self) -> None:
        """Say what is under way, unless something was said a moment ago, or nothing began yet."""
        now = self._clock()
        if self._spoke is not None and now - self._spoke >= LONGEST_SILENCE_SECONDS:
            self._spoke = now
            print(self._under_way(now - self._began), file=sys.stderr, flush=True)


@contextmanager
def broken(silence: Silence) -> Iterator[None]:
    """Break every long silence until the block ends."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(_ASKED_EVERY_SECONDS):
            silence.break_if_long()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def left_words(done: int, total: int, elapsed_seconds: float) -> str:
    """Return what is left at this pace, such as `12 s left`; nothing before there is a pace."""
    if not done or elapsed_seconds <= 0:
        return ""
    return f"{(total - done) * elapsed_seconds / done:.0f} s left"

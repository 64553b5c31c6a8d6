"""Titled steps with their seconds: what a person sees while `bin/up` works.

A step is a `with` block. Its number and title are printed when it starts, its seconds when it ends, and all of them are kept by name for
the summary. A failure inside a step becomes one sentence that names the step.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class StepError(Exception):
    """A step failed: one sentence for the operator, with what to do next."""


class Steps:
    """The steps of one run, in order, with the seconds that each took."""

    def __init__(self, total: int) -> None:
        """`total` is how many there will be: each title says how many are left."""
        self.seconds: dict[str, float] = {}
        self._total, self._begun = total, 0

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """Print `title`, run the block, print and keep its seconds under `name`.

        Raises StepError for a StepError inside, prefixed with the step's name.
        """
        self._begun += 1
        say(f"==> [{self._begun}/{self._total}] {title}")
        started = time.monotonic()
        try:
            yield
        except StepError as error:
            message = f"{name}: {error}"
            raise StepError(message) from error
        self.seconds[name] = round(time.monotonic() - started, 1)
        say(f"    {name} took {self.seconds[name]:.1f} s")


def say(line: str) -> None:
    """Print one line of progress, apart from standard output, which belongs to the result."""
    print(line, file=sys.stderr, flush=True)

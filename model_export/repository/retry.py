"""Trying again: a limited number of times, each after a longer and random wait, then an error that says what was tried.

The waits follow "full jitter" (Exponential Backoff and Jitter, AWS Architecture Blog, 2015): many pods that start together do not
come back together.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from model_export.errors import RepositoryError

T = TypeVar("T")


class TransientError(Exception):
    """The server may answer next time: it was not there, was busy, or broke off."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often and how long to try."""

    attempts: int = 7
    first_delay_seconds: float = 0.2
    longest_delay_seconds: float = 8.0
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = field(default=random.random)
    """A number from 0 up to 1."""

    def call(self, action: Callable[[], T], *, doing: str) -> T:
        """Return what the action returns. Raises RepositoryError when the last attempt has failed as well."""
        failures = 0
        while True:
            try:
                return action()
            except TransientError as error:
                failures += 1
                self.pause(failures, error, doing=doing)

    def pause(self, failures: int, error: Exception, *, doing: str) -> None:
        """Wait after a failure. Raises RepositoryError when there were as many as there may be."""
        if failures >= self.attempts:
            raise RepositoryError(
                f"expected to {doing}, received {error} ({failures} attempts); check that the server is up and reachable, then do it again"
            ) from error
        limit = min(self.longest_delay_seconds, self.first_delay_seconds * 2 ** (failures - 1))
        self.sleep(limit * self.draw())

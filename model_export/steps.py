"""The steps of a long verb, told while they happen: which one, how far it is, and what is left.

A verb that takes minutes and says nothing looks like one that hangs. Whoever works enters steps by the names of its plan and counts
within them; who shows it, and how, is the screen's business (`commands.screen`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from model_export.artifact import ExportRequest


class Watcher(Protocol):
    """Whoever wants to know how far the work is."""

    def plan(self, steps: Sequence[str]) -> None:
        """Hear the names of all steps, in order, before the first begins."""

    def enter(self, step: str) -> None:
        """Hear that a step of the plan begins; the one before has ended."""

    def advance(self, done: int, total: int) -> None:
        """Hear that `done` of `total` parts of the step under way are finished."""


class _Nobody:
    def plan(self, steps: Sequence[str]) -> None:
        """Ignore it."""

    def enter(self, step: str) -> None:
        """Ignore it."""

    def advance(self, done: int, total: int) -> None:
        """Ignore it."""


NOBODY: Watcher = _Nobody()

READ = "reading the source"
FREEZE = "freezing"
ASK = "asking the source"
WRITE = "writing the servable"
VERIFY = "verifying bit for bit"
VERIFY_AS_SERVED = "verifying as served"
OPTIMIZE = "optimising"
QUANTIZE = "storing weights smaller"
TUNE = "measuring runtime settings"
EVALUATE = "evaluating"
PUBLISH = "publishing"


def export_steps(request: ExportRequest) -> tuple[str, ...]:
    """Return the plan of an export that has to do everything."""
    optional = {
        OPTIMIZE: request.optimize,
        QUANTIZE: request.quantize is not None,
        TUNE: request.tune,
        EVALUATE: request.evaluate is not None,
    }
    always = (READ, FREEZE, ASK, WRITE, VERIFY, VERIFY_AS_SERVED)
    return (*always, *(step for step, is_asked in optional.items() if is_asked), PUBLISH)

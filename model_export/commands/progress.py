"""The steps of a long verb on the screen: one bar on a terminal, a plain line for each step everywhere else.

Lines that a verb says are its results and go to stdout; steps go to stderr, so that a pipe gets the one without the other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from model_export.commands.naming import say
from model_export.steps import NOBODY, Watcher

ALMOST = 0.99
"""How full a step's share of the bar gets before the next step begins: what closes it is not counted."""


@contextmanager
def working(*, quiet: bool) -> Iterator[tuple[Callable[[str], None], Watcher]]:
    """Give a way to say lines, and a watcher that shows the steps; `quiet` shows none, for output that only programs read."""
    console = Console(stderr=True)
    if quiet:
        yield say, NOBODY
    elif console.is_terminal:
        with _bars(console) as bars:
            steps = _StepBar(bars)
            yield steps.say, steps
    else:
        yield say, _StepLines()


def _bars(console: Console) -> Bars:
    return Bars(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
        console=console,
        redirect_stdout=False,  # a pipe behind stdout would get nothing
    )


class _StepLines:
    """A plain line for each step as it begins."""

    def __init__(self) -> None:
        self._steps: tuple[str, ...] = ()

    def plan(self, steps: Sequence[str]) -> None:
        self._steps = tuple(steps)

    def enter(self, step: str) -> None:
        print(_numbered(self._steps, step), file=sys.stderr, flush=True)

    def advance(self, done: int, total: int) -> None:
        """Say nothing: a line for each part would drown the others."""


class _StepBar:
    """One bar over all steps: the one under way, how far it is, and the names of those that are left."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._steps: tuple[str, ...] = ()
        self._index = 0
        self._task = bars.add_task("starting", total=None, left="")

    def say(self, line: str) -> None:
        if sys.stdout.isatty():
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            say(line)

    def plan(self, steps: Sequence[str]) -> None:
        self._steps = tuple(steps)
        self._bars.update(self._task, total=len(steps))

    def enter(self, step: str) -> None:
        self._index = self._steps.index(step)
        left = self._steps[self._index + 1 :]
        self._bars.update(
            self._task,
            description=_numbered(self._steps, step),
            completed=self._index,
            left=f"then {', '.join(left)}" if left else "the last step",
            refresh=True,
        )

    def advance(self, done: int, total: int) -> None:
        self._bars.update(self._task, completed=self._index + ALMOST * done / max(total, 1))


def _numbered(steps: Sequence[str], step: str) -> str:
    return f"[{steps.index(step) + 1}/{len(steps)}] {step}"

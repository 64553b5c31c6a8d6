"""The steps of a long verb on the screen: one bar on a terminal, a plain line for each step everywhere else.

Lines that a verb says are its results and go to stdout; steps go to stderr, so that a pipe gets the one without the other.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from model_export.commands.naming import say
from model_export.commands.silence import Silence, broken
from model_export.steps import NOBODY, Watcher

_BAR_COLUMNS = 16
"""So that step, bar, time and what is left fit side by side on eighty columns."""
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
        lines = StepLines()
        with broken(lines.silence):
            yield say, lines


def _bars(console: Console) -> Bars:
    return Bars(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(_BAR_COLUMNS),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
        console=console,
        redirect_stdout=False,  # a pipe behind stdout would get nothing
    )


class StepLines:
    """A plain line for each step as it begins; what takes long says in between how far it is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._steps: tuple[str, ...] = ()
        self._step = ""
        self._parts = (0, 0)
        self.silence = Silence(self._under_way, clock)

    def plan(self, steps: Sequence[str]) -> None:
        self._steps = tuple(steps)

    def enter(self, step: str) -> None:
        self._step, self._parts = step, (0, 0)
        print(_numbered(self._steps, step), file=sys.stderr, flush=True)
        self.silence.begin()

    def advance(self, done: int, total: int) -> None:
        """Keep it for the next sign of life: a line for each part would drown the others."""
        self._parts = (done, total)

    def _under_way(self, seconds: float) -> str:
        done, total = self._parts
        parts = f"{done} of {total}, " if total else ""
        return f"{_numbered(self._steps, self._step)}: {parts}{seconds:.0f} s"


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
            left=_left_words(left),
            refresh=True,
        )

    def advance(self, done: int, total: int) -> None:
        self._bars.update(self._task, completed=self._index + ALMOST * done / max(total, 1))


def _left_words(left: Sequence[str]) -> str:
    """Name the next step and count the others: more would leave no room for the bar."""
    if not left:
        return "the last step"
    return f"then {left[0]}" + (f" and {len(left) - 1} more" if len(left) > 1 else "")


def _numbered(steps: Sequence[str], step: str) -> str:
    return f"[{steps.index(step) + 1}/{len(steps)}] {step}"

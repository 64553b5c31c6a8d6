"""Results and progress for people: tables and bars on a terminal, plain lines everywhere else.

Results go to stdout, progress to stderr: a pipe gets the one without the other.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table

from model_export.commands.silence import Silence, broken, left_words
from model_export.repository import Progress
from model_export.repository.interface import silent

CHECKING: Final = "checking every digest"
_UNITS = ("B", "kB", "MB", "GB", "TB")


def print_json(facts: object) -> None:
    """Print one JSON object on one line."""
    print(json.dumps(facts, sort_keys=True))


def print_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a titled table; in a pipe, columns stand apart by two spaces and nothing is cut."""
    console = Console()
    if console.is_terminal:
        table = Table(*headings, title=title, title_justify="left", title_style="bold")
        for row in rows:
            table.add_row(*row)
        console.print(table, markup=False)
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    print(f"{title}:")
    for row in (headings, *rows):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_facts(title: str, facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values, one pair a line."""
    width = max(len(name) for name, _ in facts)
    print(f"{title}:")
    for name, value in facts:
        print(f"  {name.ljust(width)}  {value}")


@contextmanager
def moving(verb: str, *, quiet: bool) -> Iterator[Progress]:
    """Give a progress that shows each file as it moves; `quiet` for output that only programs read."""
    console = Console(stderr=True)
    if quiet:
        yield silent
    elif console.is_terminal:
        with Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        ) as bars:
            files = _Bars(bars, verb)
            yield files
            files.end()
    else:
        lines = MovingLines(verb)
        with broken(lines.silence):
            yield lines


def size_words(size_bytes: int) -> str:
    """Return a size as people say it: `95.9 MB`."""
    size, unit = float(size_bytes), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size_bytes} B"


class _Bars:
    """One bar for each file, and one without an end for the checks before the first and after the last."""

    def __init__(self, bars: Bars, verb: str) -> None:
        self._bars, self._verb = bars, verb
        self._tasks: dict[str, TaskID] = {}
        self._checks = bars.add_task(CHECKING, total=None)

    def __call__(self, path: str, done_bytes: int, total_bytes: int) -> None:
        if path not in self._tasks:
            self._tasks[path] = self._bars.add_task(f"{self._verb} {path}", total=total_bytes)
        self._bars.update(self._tasks[path], completed=done_bytes)
        is_checking = all(task.finished for task in self._files())
        self._bars.update(self._checks, visible=is_checking, refresh=is_checking)

    def end(self) -> None:
        """Leave the files on the screen and nothing that looks unfinished."""
        self._bars.remove_task(self._checks)

    def _files(self) -> list[Task]:
        return [task for task in self._bars.tasks if task.id != self._checks]


class MovingLines:
    """One line for each finished file; what takes long says in between how far it is."""

    def __init__(self, verb: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._verb = verb
        self._finished: set[str] = set()
        self._moving: tuple[str, int, int] | None = None
        self.silence = Silence(self._under_way, clock)
        self.silence.begin()

    def __call__(self, path: str, done_bytes: int, total_bytes: int) -> None:
        if self._moving is None or self._moving[0] != path:
            self.silence.begin(spoke=False)
        self._moving = (path, done_bytes, total_bytes)
        if done_bytes >= total_bytes and path not in self._finished:
            self._finished.add(path)
            print(f"{self._verb} {path} ({size_words(total_bytes)})", file=sys.stderr, flush=True)
            self._moving = None
            self.silence.begin()

    def _under_way(self, seconds: float) -> str:
        if self._moving is None:
            return f"{CHECKING} ({seconds:.0f} s)"
        path, done, total = self._moving
        left = left_words(done, total, seconds)
        return f"{self._verb} {size_words(done)} of {size_words(total)} of {path}{left and ', '}{left}"

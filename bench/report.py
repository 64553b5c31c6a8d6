"""How a run is told: a table for people, one JSON object for machines, a page and a chart for the documentation."""

import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from bench.rounds import Log
from bench.verdicts import Verdict, rounded

HEAD = ("case", "ratio", "gate", "goal", "held", "what")


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that a run found out."""

    verdicts: Sequence[Verdict]
    log: Log
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    commit: str
    seconds: int

    @property
    def is_held(self) -> bool:
        return all(verdict.is_held for verdict in self.verdicts)

    def document(self) -> dict[str, Any]:
        """The JSON object: `gates`, `machine`, `versions`, `rounds`, and what they were computed from."""
        return {
            "gates": [verdict.document() for verdict in self.verdicts],
            "machine": dict(self.machine),
            "versions": dict(self.versions),
            "rounds": len(self.log.rounds),
            "seconds": self.seconds,
            "commit": self.commit,
            "measurements": self.medians(),
        }

    def medians(self) -> dict[str, dict[str, float]]:
        """The median over the rounds of each figure, by trial."""
        collected: dict[str, dict[str, list[float]]] = {}
        for figures_by_trial in self.log.rounds:
            for trial, figures in figures_by_trial.items():
                for name, value in figures.items():
                    collected.setdefault(trial, {}).setdefault(name, []).append(value)
        return {
            trial: {name: rounded(statistics.median(values)) for name, values in figures.items()}
            for trial, figures in collected.items()
        }


def rows(verdicts: Iterable[Verdict]) -> list[tuple[str, ...]]:
    """The table's lines, as `HEAD` names them."""
    return [_row(verdict) for verdict in verdicts]


def _row(verdict: Verdict) -> tuple[str, ...]:
    gate, ratio = verdict.case.gate, verdict.ratio
    sign = "≥" if gate.better == "higher" else "≤"
    held = "goal" if verdict.reaches_goal else "yes" if verdict.is_held else "NO"
    return (
        verdict.case.name,
        "-" if ratio is None else f"{ratio:.3g}",
        f"{sign} {gate.gate:g}",
        f"{sign} {gate.goal:g}",
        held,
        verdict.reason or verdict.case.title,
    )


def print_table(report: Report, stream: TextIO) -> None:
    """With colours on a terminal, in plain lines anywhere else."""
    if stream.isatty():
        _print_rich(report.verdicts, stream)
    else:
        for row in (HEAD, *rows(report.verdicts)):
            print("{:16} {:>8} {:>7} {:>7} {:>5}  {}".format(*row), file=stream)
    held = sum(verdict.is_held for verdict in report.verdicts)
    print(
        f"{held} of {len(report.verdicts)} gates held, {len(report.log.rounds)} rounds",
        file=stream,
        flush=True,
    )


def _print_rich(verdicts: Iterable[Verdict], stream: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*HEAD)
    colours = {"goal": "green", "yes": "yellow", "NO": "red"}
    for row in rows(verdicts):
        table.add_row(*row, style=colours[row[4]])
    Console(file=stream).print(table)


def print_json(report: Report) -> None:
    """The document on one line, the last of standard output."""
    print(json.dumps(report.document(), sort_keys=True), file=sys.stdout, flush=True)

"""The arithmetic: from raw counts to a figure, from figures of each round to one ratio, from a ratio to a verdict."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.errors import LoadFailed

Figures = Mapping[str, float]
"""What one trial gave in one round, by name, the unit in the name: `cpu_us`, `p50_ms`, `seconds`."""
Round = Mapping[str, Figures]
"""What one round gave, by trial. A trial that failed is missing."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Where a number is found in a round."""

    trial: str
    figure: str


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a case must reach, and what it should."""

    gate: float
    goal: float
    better: Literal["higher", "lower"]

    def holds(self, ratio: float) -> bool:
        return ratio >= self.gate if self.better == "higher" else ratio <= self.gate

    def reaches_goal(self, ratio: float) -> bool:
        return ratio >= self.goal if self.better == "higher" else ratio <= self.goal


def cpu_us_per_answer(cpu_seconds: float, answers: int) -> float:
    """Microseconds of server CPU time for each good answer. Raises LoadFailed when nothing was answered."""
    if answers < 1:
        raise LoadFailed("expected answered requests, got none; see the server's log")
    return cpu_seconds / answers * 1e6


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that `percent` of `values` do not exceed."""
    if not values:
        raise LoadFailed(f"expected values to take the {percent:g}th percentile of, got none")
    rank = max(1, math.ceil(len(values) * percent / 100))
    return sorted(values)[rank - 1]


def ratio_of_rounds(rounds: Sequence[Round], above: Reading, below: Reading | None) -> list[float]:
    """`above` / `below` of each round that has both; `above` alone where `below` is None.

    The two were measured in the same round, minutes apart at most, so a slow hour of the machine slows both.
    """
    ratios = []
    for figures in rounds:
        over = figures.get(above.trial, {}).get(above.figure)
        under = 1.0 if below is None else figures.get(below.trial, {}).get(below.figure)
        if over is not None and under:
            ratios.append(over / under)
    return ratios


def median(values: Sequence[float]) -> float | None:
    """The middle value, None of nothing."""
    return statistics.median(values) if values else None


def readable(value: float) -> str:
    """Three digits, and whole numbers from a hundred on."""
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"

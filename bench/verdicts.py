"""From a run to its verdicts: one for each case, held or not, and never one left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.cases import Case
from bench.figures import median, ratio_of_rounds
from bench.rounds import Log


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a case."""

    case: Case
    ratio: float | None
    """The median over the rounds; None when it could not be measured."""
    per_round: tuple[float, ...] = ()
    reason: str = ""
    """Why it could not be measured."""

    @property
    def is_held(self) -> bool:
        return self.ratio is not None and self.case.gate.holds(self.ratio)

    @property
    def reaches_goal(self) -> bool:
        return self.ratio is not None and self.case.gate.reaches_goal(self.ratio)

    def document(self) -> dict[str, Any]:
        """The verdict as JSON; ratios are rounded to four digits, which is more than they mean."""
        gate = self.case.gate
        return {
            "case": self.case.name,
            "title": self.case.title,
            "ratio": None if self.ratio is None else rounded(self.ratio),
            "gate": gate.gate,
            "goal": gate.goal,
            "better": gate.better,
            "held": self.is_held,
            "reason": self.reason,
            "per_round": [rounded(ratio) for ratio in self.per_round],
        }


def judge(cases: Sequence[Case], log: Log) -> list[Verdict]:
    """A verdict for each case, in their order."""
    return [_judge(case, log) for case in cases]


def _judge(case: Case, log: Log) -> Verdict:
    ratios = ratio_of_rounds(log.rounds, case.above, case.below)
    if ratios:
        return Verdict(case=case, ratio=median(ratios), per_round=tuple(ratios))
    reasons = [f"{trial}: {log.failures[trial]}" for trial in case.trials if trial in log.failures]
    return Verdict(case=case, ratio=None, reason="; ".join(reasons) or "no round has both of its figures")


def rounded(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")

"""Putting one version's golden requests to another: the side of `comparison` that runs the model.

Two measures, because neither alone sees every broken model. The distance is relative to what the stable version says altogether, so a
model that answers nothing is 1 away whatever its scale; the agreement of winners sees classes that changed places at equal scale.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_export.comparison import Comparison
from model_export.sessions import first_line, import_tensorflow, served
from model_export.verify import opened_servable
from model_export.warmup import Golden, read_golden


def compare(stable: Path, candidate: Path) -> Comparison:
    """Ask the servable in `candidate` what the one in `stable` was asked at its export, and measure how far the answers are apart.

    Raises SourceError when there are no golden requests, VerificationError when the candidate does not load.
    """
    golden = read_golden(stable)
    totals: dict[str, _Output] = {}
    faults: list[str] = []
    with opened_servable(candidate, served()) as answer:
        for each in golden:
            try:
                found = answer(each.signature, each.inputs)
            except (import_tensorflow().errors.OpError, ValueError, KeyError, TypeError) as error:
                faults.append(f"signature {each.signature!r} refuses a golden request: {first_line(error)}")
                continue
            for alias, expected in each.outputs.items():
                name = f"{each.signature}.{alias}"
                fault = _fault(expected, found.get(alias))
                if fault:
                    faults.append(f"{name} {fault}")
                else:
                    totals.setdefault(name, _Output()).add(expected, found[alias])
    return _comparison(golden, totals, faults)


class _Output:
    """Sums over the golden requests of one output."""

    def __init__(self) -> None:
        self.difference, self.size = 0.0, 0.0
        self.same_winners, self.ranked_rows = 0, 0

    def add(self, stable: NDArray[Any], candidate: NDArray[Any]) -> None:
        """Take in one answer of each, of equal shape and type."""
        if stable.dtype.kind not in "OSUb":
            was, now = stable.astype(np.complex128), candidate.astype(np.complex128)
            known = np.isfinite(was)
            self.difference += float(np.sum(np.abs(now[known] - was[known])))
            self.size += float(np.sum(np.abs(was[known])))
        if stable.ndim == 2 and stable.shape[1] > 1:
            self.same_winners += int(np.sum(_winners(stable) == _winners(candidate)))
            self.ranked_rows += len(stable)

    @property
    def distance(self) -> float:
        """Relative to what the stable version says; infinite where that is nothing at all."""
        if self.difference == 0.0:
            return 0.0
        return self.difference / self.size if self.size else float("inf")


def _fault(stable: NDArray[Any], candidate: NDArray[Any] | None) -> str:
    if candidate is None:
        return "is gone"
    if candidate.shape != stable.shape:
        return f"has shape {list(candidate.shape)} instead of {list(stable.shape)}"
    if candidate.dtype != stable.dtype:
        return f"is {candidate.dtype} instead of {stable.dtype}"
    if stable.dtype.kind in "fc" and np.any(np.isfinite(stable) & ~np.isfinite(candidate)):
        return "holds NaN or infinity where the stable version has a number"
    return ""


def _winners(values: NDArray[Any]) -> NDArray[Any]:
    """Return the position of the highest score of each row, or the first name of a ranked list of names."""
    return values[:, 0] if values.dtype.kind in "OSU" else np.argmax(values, axis=1)


def _comparison(golden: tuple[Golden, ...], totals: dict[str, _Output], faults: list[str]) -> Comparison:
    farthest = max(totals, key=lambda name: totals[name].distance, default="")
    agreements = [each.same_winners / each.ranked_rows for each in totals.values() if each.ranked_rows]
    return Comparison(
        questions=len(golden),
        rows=sum(_rows(each) for each in golden),
        distance=totals[farthest].distance if farthest else 0.0,
        output=farthest,
        agreement=min(agreements, default=None),
        faults=tuple(dict.fromkeys(faults)),
    )


def _rows(exchange: Golden) -> int:
    return max((len(values) for values in exchange.inputs.values() if values.ndim), default=1)

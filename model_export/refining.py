"""The optional steps between a proven servable and its publication, each proven in turn.

Freezing has passed both gates by then. Optimising must pass the second; storing weights smaller must stay within a stated limit, and
what it cost is written down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model_export import steps
from model_export.artifact import ExportRequest
from model_export.errors import VerificationError
from model_export.normal_form import FrozenModel
from model_export.refine import optimise, quantise
from model_export.refine.quantise import LIMITS
from model_export.servable import FILE_NAME, write_servable
from model_export.steps import Watcher
from model_export.tuning import tune
from model_export.verify import Exchange, verify_as_served

Report = Callable[[str], None]


def refine(
    folder: Path,
    model: FrozenModel,
    exchanges: tuple[Exchange, ...],
    request: ExportRequest,
    report: Report,
    watcher: Watcher,
) -> tuple[FrozenModel, dict[str, Any]]:
    """Apply what the request asks for to the servable in `folder`; return the model that is there now, and what to note of it.

    Raises VerificationError when an answer moves too far.
    """
    notes: dict[str, Any] = {}
    if request.optimize:
        watcher.enter(steps.OPTIMIZE)
        model, notes["optimized"] = _optimise(folder, model, exchanges, report)
    if request.quantize is not None:
        watcher.enter(steps.QUANTIZE)
        model, notes["quantized"] = _quantise(folder, model, exchanges, request, report)
    return model, notes


def tuned(folder: Path, report: Report, watcher: Watcher) -> dict[str, Any]:
    """Measure the servable in `folder`, warm-up requests and all, and return what to note of it."""
    watcher.enter(steps.TUNE)
    found = tune(folder, watcher=watcher)
    report(f"Fastest here: --backend_profile={found.backend_profile} --onednn={found.onednn}.")
    return asdict(found)


def _optimise(
    folder: Path, model: FrozenModel, exchanges: tuple[Exchange, ...], report: Report
) -> tuple[FrozenModel, dict[str, Any]]:
    optimised = optimise(model)
    write_servable(folder, optimised)
    found = verify_as_served(folder, exchanges)
    before, after = _node_count(model), _node_count(optimised)
    report(f"Optimised {before} nodes into {after}, within {found.largest_difference:.0e} of the source.")
    return optimised, {"nodes_before": before, "nodes_after": after, "difference": found.largest_difference}


def _quantise(
    folder: Path, model: FrozenModel, exchanges: tuple[Exchange, ...], request: ExportRequest, report: Report
) -> tuple[FrozenModel, dict[str, Any]]:
    assert request.quantize is not None
    limit = LIMITS[request.quantize] if request.error_limit is None else request.error_limit
    before = (folder / FILE_NAME).stat().st_size
    quantised = quantise(model, request.quantize)
    write_servable(folder, quantised)
    found = verify_as_served(folder, exchanges, tolerance=None)
    size_bytes = (folder / FILE_NAME).stat().st_size
    report(
        f"Quantised to {request.quantize}: {size_bytes} bytes, {size_bytes / before:.2f} of before; "
        f"answers within {found.largest_difference:.1e} of the source."
    )
    if not found.largest_difference <= limit:
        message = (
            f"expected {request.quantize} weights to keep answers within {limit} of the source's, received a difference of "
            f"{found.largest_difference:.2g}; use fp16, export without --quantize, or accept it with --error-limit"
        )
        raise VerificationError(message)
    return quantised, {"kind": request.quantize, "difference": found.largest_difference, "limit": limit}


def _node_count(model: FrozenModel) -> int:
    return len(model.graph.node) + sum(len(each.node_def) for each in model.graph.library.function)

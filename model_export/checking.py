"""Judging a servable that stands: against its source, against its golden requests, against labelled examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from model_export import steps
from model_export.accuracy import measure
from model_export.artifact import Accuracy, ExportRequest, Manifest
from model_export.errors import SignatureError, SourceError
from model_export.examples import read_examples
from model_export.servable import FILE_NAME
from model_export.sessions import import_tensorflow
from model_export.source_files import locate
from model_export.sources import opened
from model_export.steps import NOBODY, Watcher
from model_export.verify import (
    RELATIVE_TOLERANCE,
    Exchange,
    Verification,
    interview,
    verify,
    verify_as_served,
)
from model_export.warmup import read_golden

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef


def check_against_source(
    version_path: Path,
    request: ExportRequest,
    *,
    report: Callable[[str], None],
    watcher: Watcher = NOBODY,
) -> Verification:
    """Ask source and servable the same questions. Raises VerificationError where they differ."""
    tolerance = _tolerance(version_path)
    is_exact = tolerance <= RELATIVE_TOLERANCE and "optimized" not in Manifest.read(version_path).extra
    exact_step = (steps.VERIFY,) if is_exact else ()
    watcher.plan((steps.READ, steps.ASK, *exact_step, steps.VERIFY_AS_SERVED))
    watcher.enter(steps.READ)
    with opened(locate(request.source), request, report) as loaded:
        watcher.enter(steps.ASK)
        exchanges = interview(loaded.signatures, loaded.answer)
    if is_exact:
        return verify(version_path, exchanges, watcher=watcher)
    watcher.enter(steps.VERIFY_AS_SERVED)
    return verify_as_served(version_path, exchanges, tolerance=tolerance, watcher=watcher)


def check_against_golden(version_path: Path, *, watcher: Watcher = NOBODY) -> Verification:
    """Ask the servable what its source was asked at the export. Raises VerificationError where the answers differ.

    Only as served: bit for bit is a promise between two graphs on one machine, and this may be another one.
    """
    exchanges = tuple(
        Exchange(
            signature=each.signature,
            inputs=each.inputs,
            outputs=each.outputs,
            repeatable=frozenset(each.outputs),
        )
        for each in read_golden(version_path)
    )
    watcher.plan((steps.VERIFY_AS_SERVED,))
    watcher.enter(steps.VERIFY_AS_SERVED)
    return verify_as_served(version_path, exchanges, tolerance=_tolerance(version_path), watcher=watcher)


def _tolerance(version_path: Path) -> float:
    """Return how far answers may be apart: what the export accepted, where weights were stored smaller."""
    quantized = Manifest.read(version_path).extra.get("quantized")
    return RELATIVE_TOLERANCE if quantized is None else float(quantized["limit"])


def evaluate(version_path: Path, data: Path, *, key: str, metric: str, watcher: Watcher = NOBODY) -> Accuracy:
    """Measure one signature of a servable. Raises SignatureError when it does not have that signature."""
    signatures = _signatures(version_path)
    if key not in signatures:
        message = f"expected one of the signatures {', '.join(sorted(signatures))}, received {key!r}; choose with --signature"
        raise SignatureError(message)
    watcher.plan((steps.EVALUATE,))
    return measure(version_path, key, signatures[key], read_examples(data), metric, watcher=watcher)


def _signatures(version_path: Path) -> dict[str, SignatureDef]:
    import_tensorflow()
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path = version_path / FILE_NAME
    try:
        saved_model = SavedModel.FromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        message = f"expected a servable in {path}, received {error}; export the model again"
        raise SourceError(message) from error
    return dict(saved_model.meta_graphs[0].signature_def)

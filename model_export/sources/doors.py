"""The table of doors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from model_export.artifact import ExportRequest, SourceKind
from model_export.source_files import SourceFiles
from model_export.sources.checkpoint import opened_checkpoint
from model_export.sources.graph_def import opened_graph_def
from model_export.sources.keras import opened_keras_file
from model_export.sources.loaded import LoadedModel
from model_export.sources.saved_model import opened_saved_model

Door = Callable[[SourceFiles, ExportRequest, Callable[[str], None]], AbstractContextManager[LoadedModel]]

DOORS: Final[dict[SourceKind, Door]] = {
    "checkpoint": opened_checkpoint,
    "saved_model": opened_saved_model,
    "keras": opened_keras_file,
    "graph_def": opened_graph_def,
}


def opened(
    source: SourceFiles, request: ExportRequest, report: Callable[[str], None]
) -> AbstractContextManager[LoadedModel]:
    """Open a trained model of any kind; `report` receives one line when it is restored.

    Raises SourceError for what cannot be read, SignatureError for names that the model does not hold.
    """
    return DOORS[source.kind](source, request, report)

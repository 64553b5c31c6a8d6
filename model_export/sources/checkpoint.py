"""The door for TensorFlow 1 checkpoints: weights, and the graph that the trainer wrote beside them (`.meta`)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from model_export.artifact import ExportRequest
from model_export.errors import SourceError
from model_export.normal_form import Asset
from model_export.sessions import exact, first_line, import_tensorflow
from model_export.source_files import SourceFiles
from model_export.sources.builder import build_graph, saver_of_graph
from model_export.sources.endpoints import signatures_of
from model_export.sources.loaded import LoadedModel

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

INITIALIZER: Final = "init_tables"
"""Name of the node that runs every table initialiser of the trainer's graph."""


@contextmanager
def opened_checkpoint(
    source: SourceFiles, request: ExportRequest, report: Callable[[str], None]
) -> Iterator[LoadedModel]:
    """Give the model of a checkpoint. Raises SourceError for missing or damaged files, SignatureError for unknown names."""
    tf = import_tensorflow()
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph, config=exact()) as session:
        if request.builder is None:
            meta_graph = _read_meta_graph(source)
            saver, declared = _import(meta_graph, source), dict(meta_graph.signature_def)
        else:
            declared = build_graph(request.builder)
            saver = saver_of_graph()
        assets = _assets(graph, session)
        tables = graph.get_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS)
        initializer = tf.group(*tables, name=INITIALIZER) if tables else None
        signatures = signatures_of(graph, declared, request)
        yield LoadedModel(
            session=session,
            graph=graph.as_graph_def(),
            signatures=signatures,
            initializer=None if initializer is None else initializer.name,
            assets=assets,
            restore=functools.cache(lambda: _restore(session, saver, initializer, source, report)),
        )


def _read_meta_graph(source: SourceFiles) -> MetaGraphDef:
    from tensorflow.python.framework.meta_graph import read_meta_graph_file

    path = source.path.with_name(source.path.name + ".meta")
    if not path.is_file():
        message = (
            f"expected the graph of checkpoint {source.path} in {path.name} beside it, received no such file; "
            "copy it from the training folder, or name a function that builds the graph with --builder"
        )
        raise SourceError(message)
    try:
        return read_meta_graph_file(str(path))
    except (OSError, ValueError) as error:
        message = (
            f"expected a MetaGraphDef in {path}, received a damaged file ({first_line(error)}); copy it again"
        )
        raise SourceError(message) from error


def _import(meta_graph: MetaGraphDef, source: SourceFiles) -> Any:  # noqa: ANN401 - tf.train.Saver
    tf = import_tensorflow()
    try:
        saver = tf.compat.v1.train.import_meta_graph(meta_graph, clear_devices=True)
    except (tf.errors.OpError, ValueError, KeyError, TypeError) as error:
        message = (
            f"expected a graph of known ops in {source.name}.meta, received {first_line(error)}; train again"
        )
        raise SourceError(message) from error
    if saver is None:
        message = f"expected a graph with variables in {source.name}.meta, received one without; give it as a frozen .pb"
        raise SourceError(message)
    return saver


def _assets(graph: Any, session: Any) -> tuple[Asset, ...]:  # noqa: ANN401 - tf.Graph, tf.Session
    tf = import_tensorflow()
    tensors = graph.get_collection(tf.compat.v1.GraphKeys.ASSET_FILEPATHS)
    paths = {tensor.name: Path(session.run(tensor).decode()) for tensor in tensors}
    missing = sorted({str(path) for path in paths.values() if not path.is_file()})
    if missing:
        message = f"expected the vocabulary files that the graph reads, received no file at {', '.join(missing)}; restore them"
        raise SourceError(message)
    return tuple(Asset(tensor_name=name, filename=path.name, path=path) for name, path in paths.items())


def _restore(
    session: Any,  # noqa: ANN401 - tf.Session
    saver: Any,  # noqa: ANN401 - tf.train.Saver
    initializer: Any,  # noqa: ANN401 - tf.Operation
    source: SourceFiles,
    report: Callable[[str], None],
) -> None:
    tf = import_tensorflow()
    try:
        saver.restore(session, str(source.path))
        if initializer is not None:
            session.run(initializer)
    except (tf.errors.OpError, ValueError, TypeError) as error:
        message = (
            f"expected a whole TensorFlow checkpoint at {source.path}, received one that cannot be restored "
            f"({first_line(error)}); copy it again, or train again"
        )
        raise SourceError(message) from error
    step = "" if source.step is None else f" at step={source.step}"
    report(f"Successfully loaded model from {source.path}{step}.")

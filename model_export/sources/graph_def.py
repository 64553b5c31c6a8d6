"""The door for a bare frozen GraphDef: nothing to restore, and its inputs and outputs must be named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from model_export.artifact import ExportRequest
from model_export.errors import SourceError
from model_export.sessions import exact, first_line, import_tensorflow
from model_export.source_files import SourceFiles
from model_export.sources.endpoints import signatures_of
from model_export.sources.loaded import LoadedModel


@contextmanager
def opened_graph_def(
    source: SourceFiles, request: ExportRequest, report: Callable[[str], None]
) -> Iterator[LoadedModel]:
    """Give the model of a GraphDef file. Raises SourceError for a damaged one, SignatureError for missing names."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework.graph_pb2 import GraphDef

    tf = import_tensorflow()
    try:
        graph_def = GraphDef.FromString(source.path.read_bytes())
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name="")
    except (DecodeError, tf.errors.OpError, ValueError, OSError) as error:
        message = f"expected a frozen GraphDef in {source.path}, received {first_line(error)}; write it again"
        raise SourceError(message) from error
    with tf.compat.v1.Session(graph=graph, config=exact()) as session:
        report(f"Successfully loaded model from {source.path}.")
        yield LoadedModel(
            session=session,
            graph=graph_def,
            signatures=signatures_of(graph, {}, request),
            initializer=None,
            assets=(),
            restore=lambda: None,
        )

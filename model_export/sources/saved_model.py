"""The door for SavedModels of TensorFlow 1 and 2: any signature, tables and vocabularies included."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from model_export.artifact import ExportRequest
from model_export.errors import SourceError
from model_export.normal_form import Asset
from model_export.sessions import exact, first_line, import_tensorflow
from model_export.source_files import SourceFiles
from model_export.sources.endpoints import signatures_of
from model_export.sources.loaded import LoadedModel

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef, MetaGraphDef

TAGS: Final = ("serve",)
_ASSET_COLLECTION: Final = "saved_model_assets"


@contextmanager
def opened_saved_model(
    source: SourceFiles, request: ExportRequest, report: Callable[[str], None]
) -> Iterator[LoadedModel]:
    """Give the model of a SavedModel folder. Raises SourceError for a damaged one, SignatureError for unknown names."""
    tf = import_tensorflow()
    from tensorflow.python.saved_model import loader_impl

    with _damage_explained(source):
        loader = loader_impl.SavedModelLoader(str(source.path))
        meta_graph = loader.get_meta_graph_def_from_tags(TAGS)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph, config=exact()) as session:
        with _damage_explained(source):
            saver, _ = loader.load_graph(graph, TAGS)
            initializer = loader_impl.get_init_op(meta_graph)
        signatures = signatures_of(graph, meta_graph.signature_def, request)
        yield LoadedModel(
            session=session,
            graph=meta_graph.graph_def,
            signatures=signatures,
            initializer=None if initializer is None else initializer.name,
            assets=_assets(meta_graph, source),
            restore=functools.cache(lambda: _restore(session, saver, loader, source, report)),
        )


def _assets(meta_graph: MetaGraphDef, source: SourceFiles) -> tuple[Asset, ...]:
    # TensorFlow 1 writes assets into a collection, sometimes twice; TensorFlow 2 into a field of their own.
    found = {
        each.tensor_info.name: each for each in [*_collected_assets(meta_graph), *meta_graph.asset_file_def]
    }
    return tuple(
        Asset(tensor_name=name, filename=each.filename, path=source.path / "assets" / each.filename)
        for name, each in sorted(found.items())
    )


def _collected_assets(meta_graph: MetaGraphDef) -> list[AssetFileDef]:
    from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef

    assets = []
    if _ASSET_COLLECTION in meta_graph.collection_def:
        for packed in meta_graph.collection_def[_ASSET_COLLECTION].any_list.value:
            asset = AssetFileDef()
            packed.Unpack(asset)
            assets.append(asset)
    return assets


def _restore(
    session: Any,  # noqa: ANN401 - tf.Session
    saver: Any,  # noqa: ANN401 - tf.train.Saver
    loader: Any,  # noqa: ANN401 - SavedModelLoader
    source: SourceFiles,
    report: Callable[[str], None],
) -> None:
    with _damage_explained(source):
        loader.restore_variables(session, saver)
        loader.run_init_ops(session, TAGS)
    report(f"Successfully loaded model from {source.shown}.")


@contextmanager
def _damage_explained(source: SourceFiles) -> Iterator[None]:
    tf = import_tensorflow()
    try:
        yield
    except (tf.errors.OpError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        message = (
            f"expected a whole SavedModel for serving at {source.shown}, received one that cannot be loaded "
            f"({first_line(error)}); save it again, with the tag `serve`"
        )
        raise SourceError(message) from error

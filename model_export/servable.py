"""Writes `saved_model.pb` and its assets: the one file that TensorFlow's loaders need.

Written by hand, because TensorFlow's own writers add an empty variables folder and a fingerprint with a random id, and take
longer. The bytes depend on the model and on TensorFlow's version alone: map entries are sorted, no path, no time.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from model_export.errors import NotFreezableError
from model_export.normal_form import FrozenModel
from model_export.sessions import import_tensorflow

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

PREPROCESSED_KEY: Final = "tf_serving_platform/preprocessed"
"""Our collection key: its one entry names the tensor that holds the preprocessed input."""
FILE_NAME: Final = "saved_model.pb"
_SERVE: Final = "serve"
_MAIN_OP: Final = "saved_model_main_op"
"""Collection key of saved_model/constants.h: the one way to name an initialiser that every loader accepts with assets."""


def write_servable(folder: Path, model: FrozenModel) -> None:
    """Write the SavedModel of a frozen model into an existing folder."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved_model = SavedModel(saved_model_schema_version=1)
    _describe(saved_model.meta_graphs.add(), model)
    try:
        content = saved_model.SerializeToString(deterministic=True)
    except ValueError as error:
        message = "expected a servable below 2 GiB, received a larger one; serve the unfrozen SavedModel, or shrink the weights"
        raise NotFreezableError(message) from error
    (folder / FILE_NAME).write_bytes(content)
    if model.assets:
        (folder / "assets").mkdir(exist_ok=True)
    for asset in model.assets:
        shutil.copyfile(asset.path, folder / "assets" / asset.filename)


def write_graph_def(path: Path, graph: GraphDef) -> None:
    """Write the bare frozen GraphDef, replacing an older file in one step."""
    scratch = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch.write_bytes(graph.SerializeToString(deterministic=True))
    scratch.replace(path)


def _describe(meta_graph: MetaGraphDef, model: FrozenModel) -> None:
    tf = import_tensorflow()
    info = meta_graph.meta_info_def
    info.tags.append(_SERVE)
    info.tensorflow_version = tf.__version__
    info.tensorflow_git_version = tf.version.GIT_VERSION
    for definition in _op_definitions(model.graph):
        info.stripped_op_list.op.add().CopyFrom(definition)
    meta_graph.graph_def.CopyFrom(model.graph)
    for key, signature in _sorted(model.signatures):
        meta_graph.signature_def[key].CopyFrom(signature)
    if model.initializer:
        meta_graph.collection_def[_MAIN_OP].node_list.value.append(model.initializer)
    if model.preprocessed:
        meta_graph.collection_def[PREPROCESSED_KEY].node_list.value.append(model.preprocessed.tensor)
    for asset in model.assets:
        definition = meta_graph.asset_file_def.add(filename=asset.filename)
        definition.tensor_info.name = asset.tensor_name


def _op_definitions(graph: GraphDef) -> list[Any]:
    from tensorflow.python.framework import op_def_registry

    used = {node.op for node in graph.node} | {
        node.op for body in graph.library.function for node in body.node_def
    }
    found = (op_def_registry.get(name) for name in sorted(used))
    return [each for each in found if each is not None]


def _sorted(signatures: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(signatures.items())

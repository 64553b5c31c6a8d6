"""Grappler, offline: constants and batch normalisation folded, functions inlined, plain ops only.

No node has a device while it runs, so the remapper cannot fuse into `_Fused…` ops, which are TensorFlow's own business and tie a
graph to one version and one oneDNN setting. It still splits batch normalisation into multiplications that fold into convolutions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from model_export.canonical import canonicalise
from model_export.errors import NotFreezableError
from model_export.graphs.references import node_of
from model_export.normal_form import FrozenModel
from model_export.sessions import first_line, import_tensorflow

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

PASSES: Final = ("function", "constfold", "arithmetic", "remap", "constfold", "dependency")
"""Constant folding runs again after the remapper: it folds the multiplications that batch normalisation became."""
_KEPT: Final = "train_op"
"""The collection whose nodes grappler keeps: tensorflow/core/grappler/grappler_item_builder.cc."""


def optimise(model: FrozenModel) -> FrozenModel:
    """Return the model with its graph optimised. Raises NotFreezableError when the result would not be portable."""
    tf = import_tensorflow()
    from tensorflow.core.protobuf.config_pb2 import ConfigProto
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
    from tensorflow.python.grappler import tf_optimizer

    config = ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.optimizers.extend(PASSES)
    rewrites.min_graph_nodes = -1
    rewrites.meta_optimizer_iterations = 1
    meta_graph = MetaGraphDef()
    _prepare(meta_graph, model)
    try:
        graph = tf_optimizer.OptimizeGraph(config, meta_graph)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        message = f"expected a graph that grappler can optimise, received {first_line(error)}; export without --optimize"
        raise NotFreezableError(message) from error
    canonicalise(graph)
    internal = sorted({node.op for node in graph.node if node.op.startswith("_")})
    if internal:
        message = (
            f"expected plain ops after optimising, received {', '.join(internal)}; export without --optimize"
        )
        raise NotFreezableError(message)
    return replace(model, graph=graph)


def _prepare(meta_graph: MetaGraphDef, model: FrozenModel) -> None:
    meta_graph.graph_def.CopyFrom(model.graph)
    kept = {
        node_of(info.name)
        for signature in model.signatures.values()
        for info in [*signature.inputs.values(), *signature.outputs.values()]
    }
    kept |= {node_of(each.tensor_name) for each in model.assets}
    if model.initializer:
        kept.add(model.initializer)
    if model.preprocessed:
        kept.add(node_of(model.preprocessed.tensor))
    meta_graph.collection_def[_KEPT].node_list.value.extend(sorted(kept))

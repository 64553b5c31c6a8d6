"""Asking a model with TensorFlow itself, apart from the code under test: optimisers off, so that equal graphs give equal bits."""

from pathlib import Path
from typing import Any


def exact_config() -> Any:
    import tensorflow as tf

    config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = -1
    return config


def answers(folder: Path, inputs: dict[str, Any], *, signature: str = "serving_default") -> dict[str, Any]:
    """Load a SavedModel and ask one of its signatures."""
    import tensorflow as tf

    with (
        tf.Graph().as_default() as graph,
        tf.compat.v1.Session(graph=graph, config=exact_config()) as session,
    ):
        chosen = tf.compat.v1.saved_model.load(session, ["serve"], str(folder)).signature_def[signature]
        fetches = {alias: info.name for alias, info in chosen.outputs.items()}
        return dict(
            session.run(fetches, {chosen.inputs[alias].name: value for alias, value in inputs.items()})
        )


def checkpoint_answers(prefix: Path, inputs: dict[str, Any], outputs: str) -> dict[str, Any]:
    """Restore a TensorFlow 1 checkpoint and fetch nodes by name."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session(graph=graph, config=exact_config()) as session:
        v1.train.import_meta_graph(f"{prefix}.meta", clear_devices=True).restore(session, str(prefix))
        session.run(graph.get_collection(v1.GraphKeys.TABLE_INITIALIZERS))
        fetches = {name: f"{name}:0" for name in outputs.split(",")}
        return dict(session.run(fetches, {f"{name}:0": value for name, value in inputs.items()}))

"""TensorFlow 1 graphs, as a trainer of those years left them: checkpoints with `.meta`, and SavedModels of the old builder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.model_export.models.modules import Inputs, numbers

CHECKPOINTS: dict[str, tuple[Callable[[Path], Inputs], str]] = {}


def checkpoint(outputs: str) -> Callable[[Callable[[Any, Path], Inputs]], None]:
    """Keep a function that builds a graph; train it for no steps and save it as step 7."""

    def keep(build: Callable[[Any, Path], Inputs]) -> None:
        CHECKPOINTS[build.__name__] = (lambda folder: _save(build, folder), outputs)

    return keep


def _save(build: Callable[[Any, Path], Inputs], folder: Path) -> Inputs:
    import tensorflow as tf

    folder.mkdir(parents=True)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        inputs = build(tf, folder)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "model.ckpt"), global_step=7)
    return inputs


def variable(tf: Any, name: str, value: Any, *, use_resource: bool) -> Any:
    return tf.compat.v1.get_variable(name, initializer=value, use_resource=use_resource)


@checkpoint("y")
def resource_variables(tf: Any, folder: Path) -> Inputs:
    x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
    tf.identity(x @ variable(tf, "w", numbers(4, 3), use_resource=True), name="y")
    return {"x": numbers(2, 4)}


@checkpoint("y")
def reference_variables(tf: Any, folder: Path) -> Inputs:
    x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
    tf.identity(x @ variable(tf, "w", numbers(4, 3), use_resource=False), name="y")
    return {"x": numbers(2, 4)}


@checkpoint("y")
def a_variable_as_output(tf: Any, folder: Path) -> Inputs:
    x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
    w = variable(tf, "w", numbers(4), use_resource=False)
    tf.add(x, w, name="y")
    return {"x": numbers(2, 4)}


@checkpoint("y")
def partitioned_variable(tf: Any, folder: Path) -> Inputs:
    x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
    with tf.compat.v1.variable_scope("part", partitioner=tf.compat.v1.fixed_size_partitioner(2)):
        w = tf.compat.v1.get_variable("w", [4, 3], initializer=tf.compat.v1.ones_initializer())
    tf.identity(x @ tf.convert_to_tensor(w), name="y")
    return {"x": numbers(2, 4)}


def _loop(tf: Any, *, use_resource: bool) -> Inputs:
    control_flow = tf.compat.v1.control_flow_v2_enabled()
    tf.compat.v1.disable_control_flow_v2()
    try:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
        w = variable(tf, "w", numbers(4, 4), use_resource=use_resource)
        table = variable(tf, "table", numbers(3, 4), use_resource=use_resource)

        def step(i: Any, y: Any) -> Any:
            return i + 1, tf.tanh(y @ w) + tf.nn.embedding_lookup(table, [i])

        _, y = tf.compat.v1.while_loop(lambda i, _: i < 3, step, [0, x])
        tf.identity(tf.cond(tf.reduce_sum(y) > 0, lambda: y + w[0], lambda: y - w[1]), name="y")
    finally:
        if control_flow:
            tf.compat.v1.enable_control_flow_v2()
    return {"x": numbers(2, 4)}


@checkpoint("y")
def loop_over_resource_variables(tf: Any, folder: Path) -> Inputs:
    return _loop(tf, use_resource=True)


@checkpoint("y")
def loop_over_reference_variables(tf: Any, folder: Path) -> Inputs:
    return _loop(tf, use_resource=False)


@checkpoint("y")
def table_from_a_vocabulary_file(tf: Any, folder: Path) -> Inputs:
    words = folder.parent / "words.txt"
    words.write_text("cat\ndog\n")
    x = tf.compat.v1.placeholder(tf.string, [None], name="x")
    initializer = tf.lookup.TextFileInitializer(
        str(words),
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    ids = tf.lookup.StaticHashTable(initializer, 2).lookup(x)
    tf.gather(variable(tf, "w", numbers(3, 4), use_resource=False), ids, name="y")
    return {"x": np.array([b"dog", b"?"], object)}


@checkpoint("y")
def parsed_examples(tf: Any, folder: Path) -> Inputs:
    x = tf.compat.v1.placeholder(tf.string, [None], name="x")
    parsed = tf.io.parse_example(
        x, {"pixels": tf.io.FixedLenFeature([4], tf.float32, default_value=[0.0] * 4)}
    )
    tf.identity(parsed["pixels"] @ variable(tf, "w", numbers(4, 3), use_resource=True), name="y")
    return {"x": np.array([b"", b""], object)}


@checkpoint("y")
def checked_and_initialised(tf: Any, folder: Path) -> Inputs:
    x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
    w = variable(tf, "w", numbers(4, 3), use_resource=False)
    with tf.control_dependencies([tf.compat.v1.assert_less(x, 9.0), tf.compat.v1.is_variable_initialized(w)]):
        tf.identity(x @ w, name="y")
    return {"x": numbers(2, 4)}


def saved_model_with_everything(folder: Path) -> Inputs:
    """A SavedModel of the TensorFlow 1 builder: asset in a collection, reference variable, main op, two signatures."""
    import tensorflow as tf

    v1 = tf.compat.v1
    words = folder.parent / "words.txt"
    words.write_text("cat\ndog\n")
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.string, [None], name="x")
        initializer = tf.lookup.TextFileInitializer(
            str(words),
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
        )
        ids = tf.identity(tf.lookup.StaticHashTable(initializer, 2).lookup(x), name="ids")
        local = v1.get_local_variable("bias", initializer=numbers(4), use_resource=False)
        y = tf.add(tf.gather(variable(tf, "w", numbers(3, 4), use_resource=False), ids), local, name="y")
        session.run(
            [v1.global_variables_initializer(), v1.local_variables_initializer(), v1.tables_initializer()]
        )
        info = v1.saved_model.build_tensor_info
        build = v1.saved_model.build_signature_def
        predict = "tensorflow/serving/predict"
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            signature_def_map={
                "serving_default": build({"x": info(x)}, {"y": info(y)}, predict),
                "from_ids": build({"ids": info(ids)}, {"y": info(y)}, predict),
            },
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
            main_op=tf.group(v1.tables_initializer(), v1.local_variables_initializer()),
        )
        builder.save()
    words.unlink()
    return {"x": np.array([b"dog", b"?"], object)}

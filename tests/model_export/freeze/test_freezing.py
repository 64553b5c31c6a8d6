"""Freezing, on graphs written by hand: what no exporter of today would write, and what must be refused before the work."""

from typing import Any

import numpy as np
import pytest

from model_export.errors import NotFreezableError, SourceError
from model_export.freeze import Endpoints, freeze

pytestmark = pytest.mark.tensorflow


def signature(inputs: dict[str, str], outputs: dict[str, str]) -> Any:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

    built = SignatureDef(method_name="tensorflow/serving/predict")
    for side, names in ((built.inputs, inputs), (built.outputs, outputs)):
        for alias, name in names.items():
            side[alias].name, side[alias].dtype = name, 1
    return {"serving_default": built}


def read_nothing(variables: Any) -> Any:
    message = f"values were read: {variables}"
    raise AssertionError(message)


def read_zeros(variables: Any) -> Any:
    return [np.zeros(each.shape, np.float32) for each in variables]


@pytest.mark.parametrize(
    ("rows", "is_refused"),
    [(2**19 - 2**8, False), (2**19 - 2**8 + 1, True)],
    ids=["the limit", "one row more"],
)
def test_weights_beyond_one_protobuf_are_refused_before_any_value_is_read(
    rows: int, is_refused: bool
) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        handle = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[rows, 1024], shared_name="w", name="w")
        tf.identity(tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32), name="y")
    endpoints = Endpoints(signatures=signature({}, {"y": "y:0"}))

    expected = (
        (NotFreezableError, r'received 2146\d+ \(the largest: "w"')
        if is_refused
        else (AssertionError, "values were read")
    )
    with pytest.raises(expected[0], match=expected[1]):
        freeze(graph.as_graph_def(), endpoints, read_nothing)


def test_a_graph_with_a_hole_is_one_sentence() -> None:
    from tensorflow.core.framework.graph_pb2 import GraphDef

    graph = GraphDef()
    graph.node.add(name="y", op="Identity", input=["gone"])

    with pytest.raises(SourceError, match='refers to the missing node "gone"'):
        freeze(graph, Endpoints(signatures=signature({}, {"y": "y:0"})), read_nothing)


def test_an_input_pipeline_stays_behind_when_the_tensor_after_it_is_the_input() -> None:
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        images = v1.data.make_one_shot_iterator(tf.data.Dataset.from_tensors(tf.zeros([2, 4]))).get_next()
        tf.add(images, 1.0, name="y")
    definition = graph.as_graph_def()

    with pytest.raises(NotFreezableError, match="name the tensor behind the input pipeline with --inputs"):
        freeze(definition, Endpoints(signatures=signature({}, {"y": "y:0"})), read_nothing)
    cut = freeze(definition, Endpoints(signatures=signature({"x": images.name}, {"y": "y:0"})), read_zeros)

    assert {node.name: node.op for node in cut.graph.node}[images.op.name] == "Placeholder"
    assert "OneShotIterator" not in {node.op for node in cut.graph.node}


def test_the_source_graph_is_left_as_it_was() -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        handle = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[2], shared_name="w", name="w")
        tf.identity(tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32), name="y")
    definition = graph.as_graph_def()
    before = definition.SerializeToString(deterministic=True)

    frozen = freeze(definition, Endpoints(signatures=signature({}, {"y": "y:0"})), read_zeros)

    assert definition.SerializeToString(deterministic=True) == before
    assert frozen.folded.size_bytes == 8
    assert sorted(node.op for node in frozen.graph.node) == ["Const", "Identity", "Identity"]


def test_a_function_that_calls_itself_is_refused() -> None:
    import tensorflow as tf

    inner = tf.function(lambda w: tf.raw_ops.ReadVariableOp(resource=w, dtype=tf.float32))
    with tf.Graph().as_default() as graph:
        handle = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[2], shared_name="w", name="w")
        tf.identity(inner(handle), name="y")
    definition = graph.as_graph_def()
    (function,) = definition.library.function
    (read,) = (node for node in function.node_def if node.op == "ReadVariableOp")
    call = next(node for node in definition.node if "f" in node.attr)
    read.op = "PartitionedCall"
    for key in ("f", "Tin", "Tout"):
        read.attr[key].CopyFrom(call.attr[key])
    del read.attr["dtype"]
    for node in function.node_def:
        for index, reference in enumerate(node.input):
            node.input[index] = reference.replace(":value:0", ":output:0")

    with pytest.raises(NotFreezableError, match="calls itself; write the recursion as a loop"):
        freeze(definition, Endpoints(signatures=signature({}, {"y": "y:0"})), read_zeros)


def test_a_loop_that_swaps_two_variables_of_other_types_is_refused() -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        narrow = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[], shared_name="a", name="a")
        wide = tf.raw_ops.VarHandleOp(dtype=tf.float64, shape=[], shared_name="b", name="b")
        handles = [tf.TensorSpec([], tf.resource)] * 2
        number = tf.TensorSpec([], tf.int32)
        body = tf.function(lambda i, a, b: (i + 1, b, a)).get_concrete_function(number, *handles)
        condition = tf.function(lambda i, a, b: i < 3).get_concrete_function(number, *handles)
        condition.add_to_graph(graph)
        body.add_to_graph(graph)
        loop = tf.raw_ops.While(input=[tf.constant(0), narrow, wide], cond=condition, body=body, name="loop")
        tf.raw_ops.ReadVariableOp(resource=loop[1], dtype=tf.float32, name="y")

    with pytest.raises(NotFreezableError, match=r'a loop that replaces a variable.*node "loop"'):
        freeze(graph.as_graph_def(), Endpoints(signatures=signature({}, {"y": "y:0"})), read_zeros)

"""What changes the identity of a model, and what does not, on small hand-written graphs."""

from collections.abc import Callable
from typing import Any

import pytest

from model_export.canonical import canonicalise, identity

pytestmark = pytest.mark.tensorflow


def loop_model(
    *, first_start: float = 0.0, first_step: float = 1.0, swapped: bool = False
) -> tuple[Any, Any]:
    """A TensorFlow 1 loop that counts two numbers upwards, by two steps, and returns the first."""
    import tensorflow as tf

    v1 = tf.compat.v1
    enabled = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, [], name="x")
            steps = (2.0, first_step) if swapped else (first_step, 2.0)
            body = lambda i, a, b: (i + 1, a + steps[0], b + steps[1])  # noqa: E731
            _, a, _ = v1.while_loop(
                lambda i, *_: i < 3, body, [0, tf.constant(first_start), tf.constant(0.0)]
            )
            y = tf.add(x, a, name="y")
            return graph.as_graph_def(), signature(y, x)
    finally:
        if enabled:
            v1.enable_control_flow_v2()


def signature(y: Any, x: Any, *, alias: str = "y") -> Any:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

    built = SignatureDef(method_name="tensorflow/serving/predict")
    built.inputs["x"].name, built.inputs["x"].dtype = x.name, 1
    built.outputs[alias].name, built.outputs[alias].dtype = y.name, 1
    return {"serving_default": built}


def dense_model(
    *, weight: float = 1.0, activation: str = "Relu", prefix: str = "", alias: str = "y", before: int = 0
) -> tuple[Any, Any]:
    """A graph with a function in it; `prefix` and `before` move names and counters only."""
    import tensorflow as tf

    for _ in range(before):
        tf.function(lambda x: x + 1.0).get_concrete_function(tf.TensorSpec([2], tf.float32))
    inner = tf.function(lambda x, w: getattr(tf.raw_ops, activation)(features=x * w))
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 2], name=f"{prefix}x")
        y = tf.identity(inner(x, tf.constant([weight, 2.0], name=f"{prefix}w")), name=f"{prefix}y")
        return graph.as_graph_def(), signature(y, x, alias=alias)


def digest(model: tuple[Any, Any]) -> str:
    graph, signatures = model
    canonicalise(graph)
    return identity(graph, signatures)


@pytest.mark.parametrize(
    "again",
    [
        dense_model,
        lambda: dense_model(before=3),
        lambda: dense_model(prefix="renamed_"),
    ],
    ids=["the same", "shifted counters", "other node names"],
)
def test_equal_computation_has_an_equal_identity(again: Callable[[], tuple[Any, Any]]) -> None:
    assert digest(again()) == digest(dense_model())


@pytest.mark.parametrize(
    "changed",
    [
        lambda: dense_model(weight=1.0000001),
        lambda: dense_model(activation="Relu6"),
        lambda: dense_model(alias="scores"),
    ],
    ids=["one weight bit", "another op in a function", "a renamed output"],
)
def test_a_change_changes_the_identity(changed: Callable[[], tuple[Any, Any]]) -> None:
    assert digest(changed()) != digest(dense_model())


def test_shifted_counters_give_equal_bytes() -> None:
    first, second = dense_model()[0], dense_model(before=3)[0]
    canonicalise(first)
    canonicalise(second)

    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "changed",
    [
        lambda: loop_model(first_start=0.5),
        lambda: loop_model(first_step=1.5),
        lambda: loop_model(swapped=True),
    ],
    ids=["its start", "its step", "which of two equal starts steps how"],
)
def test_a_change_inside_a_loop_changes_the_identity(changed: Callable[[], tuple[Any, Any]]) -> None:
    assert digest(loop_model()) == digest(loop_model())
    assert digest(changed()) != digest(loop_model())


def test_what_fills_a_table_is_part_of_the_identity() -> None:
    import tensorflow as tf

    def model(first: int) -> str:
        v1 = tf.compat.v1
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.string, [], name="x")
            tables = [
                tf.lookup.StaticHashTable(
                    tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([value])), -1
                )
                for value in (first, 3 - first)
            ]
            y = tf.identity(tables[0].lookup(x), name="y")
            other = tf.identity(tables[1].lookup(x), name="z")
            tf.group(*graph.get_collection(v1.GraphKeys.TABLE_INITIALIZERS), name="init")
            signatures = signature(y, x)
            signatures["serving_default"].outputs["z"].name = other.name
            definition = graph.as_graph_def()
        canonicalise(definition)
        return identity(definition, signatures, initializer="init")

    assert model(1) == model(1)
    assert model(1) != model(2)


def test_the_content_of_an_asset_is_part_of_the_identity() -> None:
    graph, signatures = dense_model()
    canonicalise(graph)

    digests = {identity(graph, signatures, assets={"w": content}) for content in ("cat", "dog")}

    assert len(digests) == 2


def test_a_graph_deeper_than_any_stack_has_an_identity() -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        x = y = tf.compat.v1.placeholder(tf.float32, [], name="x")
        for _ in range(5000):
            y = tf.raw_ops.Neg(x=y)
        model = graph.as_graph_def(), signature(y, x)

    assert digest(model).startswith("sha256:")

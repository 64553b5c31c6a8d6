"""The byte reader against TensorFlow itself: tables, real exports, and what the saved model tool says."""

from pathlib import Path

import pytest

from model_export.artifact import TensorSpec
from model_export.contract import read_servable, refuse_unsafe
from model_export.contract.dtypes import dtype_name, element_bytes
from model_export.contract.functions import Callable
from model_export.contract.record_ops import PATH, registered_text

pytestmark = pytest.mark.tensorflow


def test_the_recorded_operations_are_those_of_the_installed_tensorflow() -> None:
    assert PATH.read_text() == registered_text()


def test_the_table_of_types_is_tensorflows() -> None:
    import tensorflow as tf
    from tensorflow.core.framework import types_pb2

    numbers = [number for number in types_pb2.DataType.values() if 0 < number < 100]
    assert {number: dtype_name(number) for number in numbers} == {
        number: tf.dtypes.as_dtype(number).name for number in numbers
    }
    assert {number: element_bytes(number) or 0 for number in numbers} == {
        number: tf.dtypes.as_dtype(number).size for number in numbers
    }


def test_a_real_export_is_described_as_tensorflow_describes_it(tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("cat\ndog\n")

    class Model(tf.Module):
        def __init__(self) -> None:
            self.table = tf.lookup.StaticHashTable(
                tf.lookup.TextFileInitializer(
                    str(vocabulary),
                    tf.string,
                    tf.lookup.TextFileIndex.WHOLE_LINE,
                    tf.int64,
                    tf.lookup.TextFileIndex.LINE_NUMBER,
                ),
                -1,
            )
            self.weights = tf.Variable(tf.random.normal([3, 5]))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
        def ask(self, words: "tf.Tensor") -> "dict[str, tf.Tensor]":
            rows = tf.gather(self.weights, tf.maximum(self.table.lookup(words), 0))
            return {"rows": tf.map_fn(lambda row: tf.cond(row[0] > 0, lambda: row, lambda: -row), rows)}

        @tf.function(
            input_signature=[
                {
                    "left": tf.TensorSpec([2], tf.float32, name="left"),
                    "right": tf.TensorSpec(None, tf.int64, name="right"),
                },
                [tf.TensorSpec([None, 3], tf.bool, name="mask")],
            ]
        )
        def inner(self, pair: "dict[str, tf.Tensor]", masks: "list[tf.Tensor]") -> "tf.Tensor":
            return pair["left"]

    model, folder = Model(), tmp_path / "1"
    tf.saved_model.save(model, str(folder), signatures=model.ask)
    servable = read_servable(folder)
    contract = servable.contract
    words = TensorSpec(name="words", dtype="string", shape=(None,))
    assert servable.functions == (
        Callable(name="ask", inputs=(words,)),
        Callable(
            name="inner",
            inputs=(
                TensorSpec(name="left", dtype="float32", shape=(2,)),
                TensorSpec(name="right", dtype="int64", shape=None),
                TensorSpec(name="mask", dtype="bool", shape=(None, 3)),
            ),
        ),
    )
    (meta_graph,) = saved_model_pb2.SavedModel.FromString(
        (folder / "saved_model.pb").read_bytes()
    ).meta_graphs
    graph = meta_graph.graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert servable.tensors["serving_default", "inputs/words"] == (
        meta_graph.signature_def["serving_default"].inputs["words"].name,
    )
    assert contract.node_count == len(nodes)
    assert contract.ops.keys() == {node.op for node in nodes}
    assert contract.variable_bytes >= 3 * 5 * 4
    assert contract.assets == ("vocab.txt",)
    assert contract.writer_version == tf.__version__
    assert [spec.name for spec in contract.signatures[0].inputs] == ["words"]
    assert (contract.file_ops, contract.custom_ops) == ((), ())
    refuse_unsafe(contract)

"""TensorFlow 2 modules that can be frozen, by name: each a function that writes a SavedModel and returns example inputs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Inputs = dict[str, Any]
Build = Callable[[Path], Inputs]
MODULES: dict[str, Build] = {}


def module(build: Build) -> Build:
    MODULES[build.__name__] = build
    return build


def saved(folder: Path, function: Any, owner: Any, *specs: Any) -> None:
    import tensorflow as tf

    concrete = tf.function(function, input_signature=specs).get_concrete_function()
    owner.signature_function = concrete
    tf.saved_model.save(owner, str(folder), signatures={"serving_default": concrete})


def spec(shape: list[int | None], dtype: Any = None, name: str = "x") -> Any:
    import tensorflow as tf

    return tf.TensorSpec(shape, dtype or tf.float32, name=name)


def numbers(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.RandomState(7).uniform(-1, 1, shape).astype(np.float32)


@module
def dense_layers(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w, owner.b = tf.Variable(numbers(4, 3)), tf.Variable(numbers(3))
    saved(folder, lambda x: {"y": tf.nn.relu(x @ owner.w + owner.b)}, owner, spec([None, 4]))
    return {"x": numbers(5, 4)}


@module
def convolution_with_batch_norm(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.k = tf.Variable(numbers(3, 3, 1, 4))
    owner.norm = [tf.Variable(numbers(4)) for _ in range(2)]
    owner.moments = [tf.Variable(numbers(4)), tf.Variable(np.abs(numbers(4)) + 0.5)]

    def call(x: Any) -> Any:
        y = tf.nn.conv2d(x, owner.k, 1, "SAME")
        y, *_ = tf.compat.v1.nn.fused_batch_norm(y, *owner.norm, *owner.moments, is_training=False)
        return {"y": tf.reduce_mean(y, [1, 2])}

    saved(folder, call, owner, spec([None, 8, 8, 1]))
    return {"x": numbers(2, 8, 8, 1)}


@module
def while_loop_with_variables(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(4, 4))

    def call(x: Any) -> Any:
        _, y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.tanh(y @ owner.w)), (0, x))
        return {"y": y}

    saved(folder, call, owner, spec([None, 4]))
    return {"x": numbers(3, 4)}


@module
def growing_loop_state(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(1, 4))

    def call(x: Any) -> Any:
        _, y = tf.while_loop(
            lambda i, _: i < 3,
            lambda i, y: (i + 1, tf.concat([y, owner.w], 0)),
            (0, x),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, 4])),
        )
        return {"y": y}

    saved(folder, call, owner, spec([None, 4]))
    return {"x": numbers(3, 4)}


@module
def map_with_variables(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(4, 2))
    saved(folder, lambda x: {"y": tf.map_fn(lambda row: row[None] @ owner.w, x)}, owner, spec([None, 4]))
    return {"x": numbers(3, 4)}


@module
def branches_with_variables(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w, owner.v = tf.Variable(numbers(4, 2)), tf.Variable(numbers(4, 2))

    def call(x: Any) -> Any:
        return {"y": tf.cond(tf.reduce_sum(x) > 0, lambda: x @ owner.w, lambda: x @ owner.v)}

    saved(folder, call, owner, spec([None, 4]))
    return {"x": numbers(3, 4)}


@module
def switch_case_with_variables(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = [tf.Variable(numbers(4, 2) * scale) for scale in (1, 2, 3)]

    def call(x: Any, which: Any) -> Any:
        return {"y": tf.switch_case(which, [lambda w=w: x @ w for w in owner.w])}

    saved(folder, call, owner, spec([None, 4]), spec([], tf.int32, "which"))
    return {"x": numbers(3, 4), "which": np.int32(1)}


@module
def embedding_lookup(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.table = tf.Variable(numbers(10, 4))
    saved(folder, lambda x: {"y": tf.nn.embedding_lookup(owner.table, x)}, owner, spec([None, 2], tf.int64))
    return {"x": np.array([[1, 2], [9, 0]], np.int64)}


@module
def embedding_lookup_in_a_map(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.table = tf.Variable(numbers(10, 4))

    def call(x: Any) -> Any:
        row = tf.TensorSpec([2, 4], tf.float32)
        return {"y": tf.map_fn(lambda ids: tf.gather(owner.table, ids), x, fn_output_signature=row)}

    saved(folder, call, owner, spec([None, 2], tf.int32))
    return {"x": np.array([[1, 2], [9, 0]], np.int32)}


@module
def embedding_lookup_in_a_while_loop(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.table = tf.Variable(numbers(10, 4))

    def call(x: Any) -> Any:
        start = tf.zeros([tf.shape(x)[0], 4])
        _, y = tf.while_loop(
            lambda i, _: i < 2, lambda i, y: (i + 1, y + tf.nn.embedding_lookup(owner.table, x[:, i])), (0, start)
        )
        return {"y": y}

    saved(folder, call, owner, spec([None, 2], tf.int64))
    return {"x": np.array([[1, 2], [9, 0]], np.int64)}


@module
def gathers_of_every_kind(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.table = tf.Variable(numbers(2, 5, 3))

    def call(x: Any) -> Any:
        return {
            "batched": tf.gather(owner.table, tf.stack([x, x]), batch_dims=1, axis=1),
            "nd": tf.raw_ops.ResourceGatherNd(resource=owner.table.handle, indices=[[0, 1]], dtype=tf.float32),
            "resource": tf.raw_ops.ResourceGather(
                resource=owner.table.handle, indices=tf.stack([x, x]), batch_dims=1, dtype=tf.float32
            ),
            "shape": tf.raw_ops.VariableShape(input=owner.table.handle),
            "set": tf.raw_ops.VarIsInitializedOp(resource=owner.table.handle),
        }

    saved(folder, call, owner, spec([None], tf.int32))
    return {"x": np.array([0, 4, 2], np.int32)}


@module
def static_table(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    initializer = tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([5, 6], tf.int64))
    owner.table = tf.lookup.StaticHashTable(initializer, -1)
    owner.w = tf.Variable(numbers(10, 2))
    saved(
        folder,
        lambda x: {"y": owner.table.lookup(x), "z": tf.gather(owner.w, owner.table.lookup(x) + 1)},
        owner,
        spec([None], tf.string),
    )
    return {"x": np.array([b"b", b"a", b"?"], object)}


@module
def vocabulary_file(folder: Path) -> Inputs:
    import tensorflow as tf

    words = folder.parent / "words.txt"
    words.write_text("cat\ndog\n")
    owner = tf.Module()
    initializer = tf.lookup.TextFileInitializer(
        str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    owner.table = tf.lookup.StaticHashTable(initializer, -1)
    saved(folder, lambda x: {"y": owner.table.lookup(x)}, owner, spec([None], tf.string))
    words.unlink()
    return {"x": np.array([b"dog", b"cat", b"eel"], object)}


@module
def compiled_and_uninlined_functions(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(4, 4))
    compiled = tf.function(lambda x: x @ owner.w, jit_compile=True)
    apart = tf.function(lambda x: x @ owner.w, experimental_attributes={"_noinline": True})
    saved(folder, lambda x: {"y": apart(compiled(x))}, owner, spec([None, 4]))
    return {"x": numbers(3, 4)}


@module
def weights_of_every_type(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.bf16 = tf.Variable(tf.cast(numbers(3), tf.bfloat16))
    owner.half = tf.Variable(tf.cast(numbers(3), tf.half))
    owner.int8 = tf.Variable(np.array([-128, 127], np.int8))
    owner.text = tf.Variable([b"a", b"\x00\xff"])
    owner.flag = tf.Variable([True, False])
    owner.empty = tf.Variable(np.zeros((0, 4), np.float32))
    owner.scalar = tf.Variable(2.5)
    owner.complex = tf.Variable(np.array([1 + 2j], np.complex64))

    def call(x: Any) -> Any:
        names = ("bf16", "half", "int8", "text", "flag", "empty", "complex")
        return {**{name: tf.identity(getattr(owner, name)) for name in names}, "y": x * owner.scalar}

    saved(folder, call, owner, spec([None]))
    return {"x": numbers(3)}


@module
def ragged_input(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.table = tf.Variable(numbers(10, 2))

    def call(values: Any, splits: Any) -> Any:
        ragged = tf.RaggedTensor.from_row_splits(tf.gather(owner.table, values), splits)
        return {"y": tf.reduce_sum(ragged, axis=1)}

    saved(folder, call, owner, spec([None], tf.int64, "values"), spec([None], tf.int64, "splits"))
    return {"values": np.array([1, 2, 3], np.int64), "splits": np.array([0, 1, 3], np.int64)}


@module
def fake_quantisation(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.low, owner.high = tf.Variable(-0.5), tf.Variable(0.5)
    saved(
        folder,
        lambda x: {"y": tf.quantization.fake_quant_with_min_max_vars(x, owner.low, owner.high)},
        owner,
        spec([None, 4]),
    )
    return {"x": numbers(3, 4)}


@module
def assertions(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(4))

    def call(x: Any) -> Any:
        tf.debugging.assert_less(x, 10.0)
        return {"y": x * owner.w}

    saved(folder, call, owner, spec([None, 4]))
    return {"x": numbers(3, 4)}


@module
def unused_input_and_passed_through_output(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(4))
    saved(folder, lambda x, unused: {"y": x * owner.w, "same": x}, owner, spec([None, 4]), spec([None], None, "unused"))
    return {"x": numbers(3, 4), "unused": numbers(2)}


@module
def shared_function_with_two_variables(folder: Path) -> Inputs:
    import tensorflow as tf

    owner = tf.Module()
    owner.w, owner.v = tf.Variable(numbers(4, 4)), tf.Variable(numbers(4, 4) * 2)
    inner = tf.function(lambda x, w: x @ w)
    saved(folder, lambda x: {"y": inner(inner(x, owner.w), owner.v)}, owner, spec([None, 4]))
    return {"x": numbers(3, 4)}


@module
def lstm(folder: Path) -> Inputs:
    import keras

    keras.utils.set_random_seed(1)
    layers = [keras.layers.Input((6, 4), name="x"), keras.layers.LSTM(5), keras.layers.Dense(2)]
    keras.Sequential(layers).export(str(folder), verbose=False)
    return {"x": numbers(3, 6, 4)}


@module
def keras_string_lookup(folder: Path) -> Inputs:
    import keras

    keras.utils.set_random_seed(1)
    words = keras.layers.Input((2,), dtype="string", name="x")
    ids = keras.layers.StringLookup(vocabulary=["cat", "dog"])(words)
    embedded = keras.layers.Embedding(3, 4)(ids)
    normal = keras.layers.Normalization(mean=0.5, variance=2.0)(embedded)
    keras.Model(words, normal).export(str(folder), verbose=False)
    return {"x": np.array([[b"dog", b"?"], [b"cat", b"cat"]], object)}

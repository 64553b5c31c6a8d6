"""Modules that can be frozen: each a function that writes a SavedModel and returns example inputs."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.model_export.models import lookups
from tests.model_export.models.registry import MODULES, Inputs, module, numbers, saved, spec

__all__ = ["MODULES", "Inputs", "lookups", "module", "numbers", "saved", "spec"]


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
    saved(
        folder,
        lambda x, unused: {"y": x * owner.w, "same": x},
        owner,
        spec([None, 4]),
        spec([None], None, "unused"),
    )
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

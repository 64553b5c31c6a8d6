"""Models that no single protobuf can hold, by name: each a function that writes a SavedModel, and the op that must be named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.model_export.models.modules import numbers, saved, spec

REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {}


def refused(op: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def keep(build: Callable[[Path], None]) -> Callable[[Path], None]:
        REFUSED[build.__name__] = (build, op)
        return build

    return keep


@refused("AssignAddVariableOp")
def a_counter(folder: Path) -> None:
    import tensorflow as tf

    owner = tf.Module()
    owner.count = tf.Variable(0.0)
    saved(folder, lambda x: {"y": x + owner.count.assign_add(1.0)}, owner, spec([None]))


@refused("RngReadAndSkip")
def a_random_generator(folder: Path) -> None:
    import tensorflow as tf

    owner = tf.Module()
    owner.generator = tf.random.Generator.from_seed(1)
    saved(folder, lambda x: {"y": x + owner.generator.normal([])}, owner, spec([None]))


@refused("MutableHashTableV2")
def a_mutable_table(folder: Path) -> None:
    import tensorflow as tf

    owner = tf.Module()
    owner.table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    owner.table.insert(["a"], tf.constant([5], tf.int64))
    saved(folder, lambda x: {"y": owner.table.lookup(x)}, owner, spec([None], tf.string))


@refused("PyFunc")
def a_numpy_function(folder: Path) -> None:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(1))
    double = lambda x: x * 2  # noqa: E731
    saved(folder, lambda x: {"y": tf.numpy_function(double, [x], tf.float32) * owner.w}, owner, spec([None]))


@refused("EagerPyFunc")
def a_python_function(folder: Path) -> None:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(1))
    double: Any = lambda x: x * 2  # noqa: E731
    saved(folder, lambda x: {"y": tf.py_function(double, [x], tf.float32) * owner.w}, owner, spec([None]))


@refused("ResourceScatterAdd")
def a_scattered_write(folder: Path) -> None:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(4))

    def call(x: Any) -> Any:
        owner.w.scatter_add(tf.IndexedSlices(tf.constant([1.0]), tf.constant([0])))
        return {"y": x + owner.w}

    saved(folder, call, owner, spec([None, 4]))

"""Modules that look something up: embeddings, tables, vocabularies."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.model_export.models.registry import Inputs, module, numbers, saved, spec


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
            lambda i, _: i < 2,
            lambda i, y: (i + 1, y + tf.nn.embedding_lookup(owner.table, x[:, i])),
            (0, start),
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
            "nd": tf.raw_ops.ResourceGatherNd(
                resource=owner.table.handle, indices=[[0, 1]], dtype=tf.float32
            ),
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
        str(words),
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    owner.table = tf.lookup.StaticHashTable(initializer, -1)
    saved(folder, lambda x: {"y": owner.table.lookup(x)}, owner, spec([None], tf.string))
    words.unlink()
    return {"x": np.array([b"dog", b"cat", b"eel"], object)}


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
def keras_string_lookup(folder: Path) -> Inputs:
    import keras

    keras.utils.set_random_seed(1)
    words = keras.layers.Input((2,), dtype="string", name="x")
    ids = keras.layers.StringLookup(vocabulary=["cat", "dog"])(words)
    embedded = keras.layers.Embedding(3, 4)(ids)
    normal = keras.layers.Normalization(mean=0.5, variance=2.0)(embedded)
    keras.Model(words, normal).export(str(folder), verbose=False)
    return {"x": np.array([[b"dog", b"?"], [b"cat", b"cat"]], object)}

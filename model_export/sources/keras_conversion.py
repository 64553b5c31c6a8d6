"""Runs alone, in the isolated process: one Keras file in, one SavedModel out.

Traced and saved directly: `model.export` writes every weight twice, and takes longer for it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any, Final

from model_export.sessions import import_tensorflow

_COUNTED: Final = re.compile(r"(keras_tensor|input_layer|input)(_\d+)?")
"""Names that Keras makes up; they count what the training process had made before."""


def convert(path: str, folder: str) -> None:
    """Write the SavedModel of the Keras file at `path` into `folder`."""
    tf = import_tensorflow()
    import keras

    model = keras.models.load_model(path, compile=False, safe_mode=True)
    structure = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    aliases = _aliases(structure)
    given = keras.tree.flatten(structure)
    specs = [
        tf.TensorSpec(each.shape, each.dtype, name=alias) for alias, each in zip(aliases, given, strict=True)
    ]

    def answer(*tensors: Any) -> dict[str, Any]:  # noqa: ANN401 - tf.Tensor
        return _named(model(keras.tree.pack_sequence_as(structure, list(tensors)), training=False))

    owner = tf.Module()
    owner.answer = tf.function(answer, input_signature=specs).get_concrete_function()
    # What the answer reads, and nothing else: tracked through the model, every weight would be saved under a second handle.
    owner.weights = list(owner.answer.graph.variables)
    owner.tables = _lookup_layers(model)
    tf.saved_model.save(owner, folder, signatures={"serving_default": owner.answer})


def _aliases(structure: Any) -> list[str]:  # noqa: ANN401 - nested KerasTensors
    import keras

    if isinstance(structure, Mapping):
        return sorted(structure)
    names = [each.name for each in keras.tree.flatten(structure)]
    return [f"input_{index}" if _COUNTED.fullmatch(name) else name for index, name in enumerate(names)]


def _lookup_layers(model: Any) -> list[Any]:  # noqa: ANN401 - keras.Model
    """Return the layers that hold vocabularies, as `keras.export.ExportArchive` finds them."""
    tf = import_tensorflow()
    import keras

    kinds = (keras.layers.IntegerLookup, keras.layers.StringLookup, keras.layers.TextVectorization)
    return [each for each in tf.train.TrackableView(model).descendants() if isinstance(each, kinds)]


def _named(outputs: Any) -> dict[str, Any]:  # noqa: ANN401 - nested tf.Tensors
    if isinstance(outputs, Mapping):
        return dict(outputs)
    several = outputs if isinstance(outputs, list | tuple) else [outputs]
    return {f"output_{index}": each for index, each in enumerate(several)}


if __name__ == "__main__":
    convert(sys.argv[1], sys.argv[2])

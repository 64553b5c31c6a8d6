"""The table of TensorFlow 2 modules that can be frozen, and what they are written with."""

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

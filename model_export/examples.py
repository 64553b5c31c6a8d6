"""Real examples from an `.npz` file: inputs by alias, and `labels` where something is to be measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_export.errors import SignatureError, SourceError

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

LABELS: Final = "labels"
Arrays = Mapping[str, NDArray[Any]]


def read_examples(path: Path) -> dict[str, NDArray[Any]]:
    """Read inputs and labels, equally long. Text comes as objects, as TensorFlow wants it.

    Raises SourceError for a damaged or incomplete file; pickled objects are refused, since reading them runs code.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            examples = {name: _as_text(archive[name]) for name in archive.files}
    except (OSError, ValueError, EOFError, TypeError, AttributeError) as error:
        message = (
            f"expected arrays without pickled objects in {path}, received {error}; write it with numpy.savez"
        )
        raise SourceError(message) from error
    sizes = {name: len(values) if values.ndim else 0 for name, values in examples.items()}
    if LABELS not in examples or len(examples) < 2 or len(set(sizes.values())) != 1 or not sizes[LABELS]:
        message = (
            f"expected inputs and `{LABELS}`, equally long, in {path}, received {sizes}; write the file again"
        )
        raise SourceError(message)
    return examples


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of an `.npz` file by name. Raises SourceError for a damaged file and for pickled objects."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: _as_text(archive[name]) for name in archive.files}
    except (OSError, ValueError, EOFError, TypeError, AttributeError) as error:
        message = (
            f"expected arrays without pickled objects in {path}, received {error}; write it with numpy.savez"
        )
        raise SourceError(message) from error


def inputs_of(examples: Arrays, key: str, signature: SignatureDef) -> dict[str, NDArray[Any]]:
    """Return the arrays that are the signature's inputs. Raises SignatureError when they are not the ones it takes."""
    inputs = {alias: values for alias, values in examples.items() if alias != LABELS}
    if inputs.keys() != signature.inputs.keys():
        message = (
            f"expected example arrays {sorted(signature.inputs)}, the inputs of signature {key!r}, received "
            f"{sorted(inputs)}; rename the arrays"
        )
        raise SignatureError(message)
    return inputs


def rows(inputs: Arrays, batch: int) -> dict[str, NDArray[Any]]:
    """Return the first `batch` rows of every input, from the start again where there are fewer."""
    return {alias: values[np.arange(batch) % len(values)] for alias, values in inputs.items()}


def _as_text(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.char.encode(values, "utf-8") if values.dtype.kind == "U" else values).astype(
        object if values.dtype.kind in "US" else values.dtype
    )

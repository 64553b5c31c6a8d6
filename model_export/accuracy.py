"""How right a servable is on examples that training never saw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_export.artifact import Accuracy
from model_export.errors import SignatureError, SourceError
from model_export.sessions import served
from model_export.verify import opened_servable

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

LABELS: Final = "labels"
_BATCH: Final = 256


def read_examples(path: Path) -> dict[str, NDArray[Any]]:
    """Read `.npz` arrays: inputs by alias, and `labels`. Raises SourceError for a damaged or incomplete file."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            examples = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError) as error:
        message = (
            f"expected arrays without pickled objects in {path}, received {error}; write it with numpy.savez"
        )
        raise SourceError(message) from error
    sizes = {name: len(values) if values.ndim else 0 for name, values in examples.items()}
    if LABELS not in examples or len(examples) < 2 or len(set(sizes.values())) != 1 or not sizes[LABELS]:
        message = (
            f"expected inputs and `{LABELS}` of one length in {path}, received {sizes}; write the file again"
        )
        raise SourceError(message)
    return examples


def measure(
    folder: Path, key: str, signature: SignatureDef, examples: Mapping[str, NDArray[Any]]
) -> Accuracy:
    """Return the share of examples whose best-scored class is their label, asked of the servable as it will be served.

    Raises SignatureError when the arrays are not the signature's inputs, or no output scores classes.
    """
    inputs = {alias: values for alias, values in examples.items() if alias != LABELS}
    if inputs.keys() != signature.inputs.keys():
        message = (
            f"expected example arrays {sorted(signature.inputs)}, the inputs of signature {key!r}, received "
            f"{sorted(inputs)}; rename the arrays"
        )
        raise SignatureError(message)
    labels = examples[LABELS]
    right = 0
    with opened_servable(folder, served()) as answer:
        for start in range(0, len(labels), _BATCH):
            rows = slice(start, start + _BATCH)
            scores = _scores(answer(key, {alias: values[rows] for alias, values in inputs.items()}), key)
            right += int(np.sum(scores.argmax(axis=1) == labels[rows]))
    return Accuracy(value=right / len(labels), metric="top_1", examples=len(labels))


def _scores(outputs: Mapping[str, NDArray[Any]], key: str) -> NDArray[Any]:
    ranked = [
        values for _, values in sorted(outputs.items()) if values.ndim == 2 and values.dtype.kind == "f"
    ]
    if len(ranked) != 1:
        message = (
            f"expected one output float[batch, class] of signature {key!r} to measure, received {len(ranked)}; "
            "choose another signature"
        )
        raise SignatureError(message)
    return ranked[0]

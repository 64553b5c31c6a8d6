"""How right a servable is on examples that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_export import steps
from model_export.artifact import Accuracy
from model_export.errors import SignatureError
from model_export.examples import LABELS, Arrays, inputs_of
from model_export.sessions import first_line, import_tensorflow, served
from model_export.steps import NOBODY, Watcher
from model_export.verify import opened_servable

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

_BATCH: Final = 256


def measure(
    folder: Path,
    key: str,
    signature: SignatureDef,
    examples: Arrays,
    metric: str = "top_1",
    *,
    watcher: Watcher = NOBODY,
) -> Accuracy:
    """Ask the servable, as it will be served, about every example, and return the mean of `metric`.

    Raises SignatureError when the arrays are not the signature's inputs, or no output fits the metric.
    """
    inputs = inputs_of(examples, key, signature)
    labels = examples[LABELS]
    tf = import_tensorflow()
    total = 0.0
    watcher.enter(steps.EVALUATE)
    with opened_servable(folder, served()) as answer:
        for start in range(0, len(labels), _BATCH):
            batch = slice(start, start + _BATCH)
            try:
                outputs = answer(key, {alias: values[batch] for alias, values in inputs.items()})
            except (tf.errors.OpError, ValueError) as error:
                message = (
                    f"expected examples that {key!r} takes, received {first_line(error)}; correct the arrays"
                )
                raise SignatureError(message) from error
            total += METRICS[metric](outputs, labels[batch])
            watcher.advance(min(start + _BATCH, len(labels)), len(labels))
    return Accuracy(value=total / len(labels), metric=metric, examples=len(labels))


def _right_among(best: int) -> Callable[[Arrays, NDArray[Any]], float]:
    def count(outputs: Arrays, labels: NDArray[Any]) -> float:
        ranked = _ranked(outputs, labels, best)
        return float(np.sum(np.any(ranked == labels[:, None], axis=1)))

    return count


def _ranked(outputs: Arrays, labels: NDArray[Any], best: int) -> NDArray[Any]:
    """Return the `best` answers per row: names or numbers that a model ranks itself, else the highest scores' positions."""
    wanted = "O" if labels.dtype == object else "iu"
    named = [
        values for _, values in sorted(outputs.items()) if values.ndim == 2 and values.dtype.kind in wanted
    ]
    if named:
        return named[0][:, :best]
    scores = _only(outputs, 2, "float[batch, class]")
    return np.argsort(-scores, axis=1, kind="stable")[:, :best]


def _absolute_error(outputs: Arrays, labels: NDArray[Any]) -> float:
    found = next((values for _, values in sorted(outputs.items()) if values.size == labels.size), None)
    if found is None:
        message = f"expected one output number per label, received {_shapes(outputs)}; choose another metric"
        raise SignatureError(message)
    return float(np.sum(np.abs(found.reshape(labels.shape).astype(np.float64) - labels)))


def _only(outputs: Arrays, rank: int, description: str) -> NDArray[Any]:
    fitting = [
        values for _, values in sorted(outputs.items()) if values.ndim == rank and values.dtype.kind == "f"
    ]
    if len(fitting) != 1:
        message = f"expected one output {description} to measure, received {_shapes(outputs)}; choose another signature"
        raise SignatureError(message)
    return fitting[0]


def _shapes(outputs: Mapping[str, NDArray[Any]]) -> str:
    return ", ".join(
        f"{alias}: {values.dtype}{list(values.shape)}" for alias, values in sorted(outputs.items())
    )


METRICS: Final = {"top_1": _right_among(1), "top_5": _right_among(5), "mean_absolute_error": _absolute_error}
"""Name -> sum over a batch of what is averaged over all examples."""

"""Rows of several questions into one call, and its answer back to each."""

from collections.abc import Sequence

import numpy as np

from serving.scheduling.tasks import Task
from serving.tensors.dtypes import Array


def join(batch: Sequence[Task]) -> list[Array]:
    """One array per input: the rows of every task, in the order of the batch."""
    if len(batch) == 1:
        return list(batch[0].inputs)
    return [np.concatenate(arrays) for arrays in zip(*[task.inputs for task in batch], strict=True)]


def is_joined(outputs: Sequence[Array], rows: int) -> bool:
    """Whether every output has exactly one row for each row that was asked."""
    return all(output.ndim > 0 and output.shape[0] == rows for output in outputs)


def split(outputs: Sequence[Array], batch: Sequence[Task]) -> list[list[Array]]:
    """The rows of each task, in the order of the batch; they share the memory of `outputs`."""
    if len(batch) == 1:
        return [list(outputs)]
    parts, start = [], 0
    for task in batch:
        end = start + task.rows
        parts.append([output[start:end] for output in outputs])
        start = end
    return parts


def slices(inputs: Sequence[Array], rows: int, max_rows: int) -> list[list[Array]]:
    """The inputs of a long question, cut into pieces of at most `max_rows` rows."""
    return [[array[start : start + max_rows] for array in inputs] for start in range(0, rows, max_rows)]


def assemble(pieces: Sequence[Sequence[Array]]) -> list[Array]:
    """The outputs of a question from those of its slices, in order."""
    return [np.concatenate(arrays) for arrays in zip(*pieces, strict=True)]

"""Rows of several questions into one call, and its answer back to each.

What a rider does with its rows (writing them as JSON, say) is often cheaper done once for the whole call: riders
share what one of them made of it.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar, overload

import numpy as np

from serving.scheduling.tasks import Task
from serving.tensors.dtypes import Array

T = TypeVar("T")


class Joined:
    """The outputs of one call of several riders."""

    __slots__ = ("_made", "arrays")

    def __init__(self, arrays: Sequence[Array]) -> None:
        self.arrays = arrays
        self._made: dict[object, object] = {}

    def make(self, recipe: Callable[[Sequence[Array]], T]) -> T:
        """What `recipe` makes of all rows; made for the first rider that asks, shared with the others."""
        if recipe not in self._made:
            self._made[recipe] = recipe(self.arrays)
        made: T = self._made[recipe]  # type: ignore[assignment]  # it was stored under its own recipe
        return made


class Share(Sequence[Array]):
    """The rows of one rider: arrays that are cut out of the call's when somebody looks at them."""

    __slots__ = ("end", "joined", "start")

    def __init__(self, joined: Joined, start: int, end: int) -> None:
        self.joined = joined
        self.start = start
        self.end = end

    def __len__(self) -> int:
        return len(self.joined.arrays)

    @overload
    def __getitem__(self, index: int) -> Array: ...

    @overload
    def __getitem__(self, index: slice) -> list[Array]: ...

    def __getitem__(self, index: int | slice) -> Array | list[Array]:
        if isinstance(index, slice):
            return [array[self.start : self.end] for array in self.joined.arrays[index]]
        return self.joined.arrays[index][self.start : self.end]


def join(batch: Sequence[Task]) -> list[Array]:
    """One array per input: the rows of every task, in the order of the batch."""
    if len(batch) == 1:
        return list(batch[0].inputs)
    return [np.concatenate(arrays) for arrays in zip(*[task.inputs for task in batch], strict=True)]


def is_joined(outputs: Sequence[Array], rows: int) -> bool:
    """Whether every output has exactly one row for each row that was asked."""
    return all(output.ndim > 0 and output.shape[0] == rows for output in outputs)


def split(outputs: Sequence[Array], batch: Sequence[Task]) -> Sequence[Sequence[Array]]:
    """The rows of each task, in the order of the batch; they share the memory of `outputs`."""
    if len(batch) == 1:
        return [outputs]
    joined, parts, start = Joined(outputs), [], 0
    for task in batch:
        end = start + task.rows
        parts.append(Share(joined, start, end))
        start = end
    return parts


def slices(inputs: Sequence[Array], rows: int, max_rows: int) -> list[list[Array]]:
    """The inputs of a long question, cut into pieces of at most `max_rows` rows."""
    return [[array[start : start + max_rows] for array in inputs] for start in range(0, rows, max_rows)]


def assemble(pieces: Sequence[Sequence[Array]]) -> list[Array]:
    """The outputs of a question from those of its slices, in order."""
    return [np.concatenate(arrays) for arrays in zip(*pieces, strict=True)]

"""Inputs to ask a model with, when nobody gave real ones.

A signature says types and sizes, not meaning: a string may be a word, a JPEG or a serialised Example. So several kinds are offered,
and the first that the source itself answers is used. Seeded: the same signature gets the same questions.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_export.sessions import import_tensorflow

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

Inputs = Mapping[str, NDArray[Any]]

BATCH_SIZES: Final = (1, 3, 8)
_FREE_AXES: Final = (8, 32, 224, 1)
"""Sizes to try for an axis of any size that is not the batch."""
_PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAKElEQVR4nGNkYPjPgAmYGBgYsEpglYCLM8IFcBmFSwKnUVglcEoAAD2ZBhQ0mQ6wAAAAAElFTkSuQmCC"
)
_STRINGS: Final[tuple[bytes, ...]] = (b"", b"word", _PNG)


def questions(signature: SignatureDef, batch: int) -> Iterator[Inputs]:
    """Yield candidate inputs for one batch, the most likely kind first."""
    for free_axis in _FREE_AXES:
        for text in _STRINGS:
            yield {
                alias: _array(info, batch=batch, free_axis=free_axis, text=text, seed=index)
                for index, (alias, info) in enumerate(sorted(signature.inputs.items()))
            }
            if not any(info.dtype == _string_type() for info in signature.inputs.values()):
                break
        if not any(_has_free_axis(info) for info in signature.inputs.values()):
            return


def batch_sizes(signature: SignatureDef) -> tuple[int, ...]:
    """Return the batch sizes to ask with: the one that the signature fixes, else several."""
    fixed = {
        int(info.tensor_shape.dim[0].size)
        for info in signature.inputs.values()
        if info.tensor_shape.dim and info.tensor_shape.dim[0].size >= 0
    }
    return (max(fixed),) if fixed else BATCH_SIZES


def _array(info: TensorInfo, *, batch: int, free_axis: int, text: bytes, seed: int) -> NDArray[Any]:
    shape = _shape(info, batch=batch, free_axis=free_axis)
    dtype = import_tensorflow().as_dtype(info.dtype)
    random = np.random.RandomState(seed)
    if dtype.name == "string":
        return np.full(shape, text, dtype=object)
    numbers = dtype.as_numpy_dtype
    if dtype.is_floating or dtype.is_complex:
        return np.asarray(random.uniform(0.0, 1.0, shape)).astype(numbers)
    return np.asarray(random.randint(0, 2, shape)).astype(numbers)


def _shape(info: TensorInfo, *, batch: int, free_axis: int) -> tuple[int, ...]:
    if info.tensor_shape.unknown_rank:
        return (batch,)
    sizes = [int(dim.size) for dim in info.tensor_shape.dim]
    return tuple((batch if axis == 0 else free_axis) if size < 0 else size for axis, size in enumerate(sizes))


def _has_free_axis(info: TensorInfo) -> bool:
    return any(dim.size < 0 for dim in info.tensor_shape.dim[1:])


def _string_type() -> int:
    return int(import_tensorflow().string.as_datatype_enum)

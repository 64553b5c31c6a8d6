"""Inputs to ask a model with, when nobody gave real ones.

A signature says types and sizes, not meaning: a string may be a word, a JPEG or a serialised Example. So several kinds are offered,
and the first that the source itself answers is used. Seeded: the same signature gets the same questions.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_export.sessions import import_tensorflow

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

Inputs = Mapping[str, NDArray[Any]]
Integers = Callable[[tuple[int, ...], np.random.RandomState], NDArray[Any]]

BATCH_SIZES: Final = (1, 3, 8)
_FREE_AXES: Final = (8, 32, 224, 1)
"""Sizes to try for an axis of any size that is not the batch."""


def questions(signature: SignatureDef, batch: int) -> Iterator[Inputs]:
    """Yield candidate inputs for one batch, the most likely kind first."""
    infos = sorted(signature.inputs.items())
    free_axes = _FREE_AXES if any(_has_free_axis(info) for _, info in infos) else _FREE_AXES[:1]
    texts = (b"", b"word", _png()) if any(_kind(info) == "string" for _, info in infos) else (b"",)
    integers = (_coins, _rising) if any(_kind(info) == "integer" for _, info in infos) else (_coins,)
    for free_axis, text, integer in itertools.product(free_axes, texts, integers):
        shapes = {alias: _shape(info, batch=batch, free_axis=free_axis) for alias, info in infos}
        yield {
            alias: _array(
                info, shapes[alias], text=text, integer=integer, random=np.random.RandomState(index)
            )
            for index, (alias, info) in enumerate(infos)
        }


def batch_sizes(signature: SignatureDef) -> tuple[int, ...]:
    """Return the batch sizes to ask with: the one that the signature fixes, else several."""
    fixed = {
        int(info.tensor_shape.dim[0].size)
        for info in signature.inputs.values()
        if info.tensor_shape.dim and info.tensor_shape.dim[0].size >= 0
    }
    return (max(fixed),) if fixed else BATCH_SIZES


def _array(
    info: TensorInfo, shape: tuple[int, ...], *, text: bytes, integer: Integers, random: np.random.RandomState
) -> NDArray[Any]:
    if _kind(info) == "string":
        return np.full(shape, text, dtype=object)
    values = integer(shape, random) if _kind(info) == "integer" else random.uniform(0.0, 1.0, shape)
    return np.asarray(values).astype(import_tensorflow().as_dtype(info.dtype).as_numpy_dtype)


def _kind(info: TensorInfo) -> str:
    dtype = import_tensorflow().as_dtype(info.dtype)
    if dtype.name == "string":
        return "string"
    return "number" if dtype.is_floating or dtype.is_complex else "integer"


def _coins(shape: tuple[int, ...], random: np.random.RandomState) -> NDArray[Any]:
    return np.asarray(random.randint(0, 2, shape))


def _rising(shape: tuple[int, ...], random: np.random.RandomState) -> NDArray[Any]:
    """Return 0, 1, … and the axis's size at its end: row splits of a ragged tensor are like that."""
    del random
    length = shape[-1] if shape else 1
    row = np.arange(length)
    row[-1:] = length if length > 1 else 0
    return np.broadcast_to(row, shape) if shape else row[0]


def _shape(info: TensorInfo, *, batch: int, free_axis: int) -> tuple[int, ...]:
    if info.tensor_shape.unknown_rank:
        return (batch,)
    sizes = [int(dim.size) for dim in info.tensor_shape.dim]
    return tuple((batch if axis == 0 else free_axis) if size < 0 else size for axis, size in enumerate(sizes))


def _has_free_axis(info: TensorInfo) -> bool:
    return any(dim.size < 0 for dim in info.tensor_shape.dim[1:])


def _png(size: int = 32) -> bytes:
    """Return a colourful picture, size × size, 8-bit RGB. Format: PNG specification (ISO/IEC 15948), sections 5 and 11."""
    pixels = np.random.RandomState(0).randint(0, 256, (size, size, 3)).astype(np.uint8)
    scanlines = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(scanlines)), (b"IEND", b""))
    encoded = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(encoded)

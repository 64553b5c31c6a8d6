"""Reads the weights of a PyTorch `.pth` file with NumPy alone: no torch, and no code from the pickle.

A `.pth` of the old layout is four pickles (magic number, protocol, system, state) followed by the raw storages, each with its
length in front; see torch/serialization.py, `_legacy_save`. The unpickler knows three names and refuses every other.
"""

from __future__ import annotations

import collections
import pickle
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class WeightsError(Exception):
    """The file does not hold plain weights."""


@dataclass(frozen=True, kw_only=True)
class _View:
    """Where a tensor lies in its storage."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Return name -> array. Raises WeightsError for anything but a state dictionary of plain tensors."""
    try:
        with path.open("rb") as file:
            for _ in range(3):
                _Unpickler(file, {}).load()
            dtypes: dict[str, str] = {}
            state = _Unpickler(file, dtypes).load()
            keys = _Unpickler(file, {}).load()
            storages = {key: _read_storage(file, np.dtype(dtypes[key])) for key in keys}
            return {name: _materialise(view, storages[view.storage]) for name, view in state.items()}
    except (
        OSError,
        pickle.UnpicklingError,
        struct.error,
        EOFError,
        KeyError,
        AttributeError,
        ValueError,
    ) as error:
        message = f"expected PyTorch weights of the old layout in {path}, received {error}; install the package again"
        raise WeightsError(message) from error


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, dtypes: dict[str, str]) -> None:
        super().__init__(file)
        self._dtypes = dtypes

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - pickle's own interface
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        message = f"the name {module}.{name}, which no plain weights need"
        raise pickle.UnpicklingError(message)

    def persistent_load(self, pid: Any) -> str:  # noqa: ANN401 - pickle's own interface
        _, dtype, key, *_ = pid
        self._dtypes[key] = dtype
        return str(key)


def _rebuild(
    storage: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _View:
    return _View(storage=storage, offset=offset, shape=tuple(shape), strides=tuple(strides))


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(count * dtype.itemsize), dtype)


def _materialise(view: _View, storage: NDArray[Any]) -> NDArray[Any]:
    sizes_and_strides = list(zip(view.shape, view.strides, strict=True))
    last = view.offset + sum((size - 1) * stride for size, stride in sizes_and_strides)
    if min(view.offset, *view.shape, *view.strides, 0) < 0 or 0 in view.shape or last >= len(storage):
        message = "a tensor that reaches beyond its storage"
        raise ValueError(message)
    strides = [stride * storage.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides).copy()

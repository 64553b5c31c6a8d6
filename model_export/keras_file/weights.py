"""An HDF5 file of weights, looked at without reading a value: links, storage, filters and sizes.

HDF5 can point at other files, at storage outside itself, and at filters that are loaded as plug-ins; none belongs in a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from model_export.errors import SourceError

if TYPE_CHECKING:
    import h5py

MAX_OBJECTS: Final = 200_000
"""A model of 10 000 layers has about 50 000 groups and arrays."""
MAX_RATIO: Final = 200
FREE_BYTES: Final = 16 << 20
_FILTERS: Final = frozenset({1, 2, 3, 4, 5, 6})
"""Deflate, shuffle, Fletcher-32, szip, n-bit and scale-offset: those that HDF5 itself brings (`H5Zpublic.h`)."""


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """What was seen of an HDF5 file."""

    weight_bytes: int
    """Bytes of all arrays, unpacked."""
    attributes: dict[str, str]
    """Text attributes of the root: `model_config`, `keras_version` and the like."""


def inspect_weights(path: Path, *, where: str) -> WeightsFile:
    """Look at an HDF5 file. Raises SourceError when it is damaged or reaches outside itself, or h5py is not installed."""
    try:
        import h5py
    except ImportError as error:
        raise SourceError(
            f"{where}: expected h5py to look at weights, received {error}; install requirements/export.txt"
        ) from error

    with _sorted_errors(where), h5py.File(path, "r") as file:
        weight_bytes = sum(_array_bytes(array, where) for array in _arrays(file, where))
        limit = max(FREE_BYTES, path.stat().st_size * MAX_RATIO)
        if weight_bytes > limit:
            raise SourceError(
                f"{where}: expected at most {limit} bytes of weights, received {weight_bytes}; do not use it"
            )
        return WeightsFile(weight_bytes=weight_bytes, attributes=_text_attributes(file))


def _arrays(file: h5py.File, where: str) -> Iterator[h5py.Dataset]:
    import h5py

    waiting: list[h5py.Group] = [file]
    seen: set[int] = set()
    while waiting:
        group = waiting.pop()
        for key in group:
            link = group.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise SourceError(
                    f"{where}: expected weights inside the file, received {key!r}, a link that leads elsewhere; do not use it"
                )
            child = group[key]
            address = h5py.h5o.get_info(child.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > MAX_OBJECTS:
                raise SourceError(
                    f"{where}: expected at most {MAX_OBJECTS} groups and arrays, received more; do not use it"
                )
            if isinstance(child, h5py.Group):
                waiting.append(child)
            elif isinstance(child, h5py.Dataset):
                yield child


def _array_bytes(array: h5py.Dataset, where: str) -> int:
    if array.is_virtual or array.external:
        raise SourceError(
            f"{where}: expected weights inside the file, received {array.name!r}, stored in another file; do not use it"
        )
    layout = array.id.get_create_plist()
    for number in range(layout.get_nfilters()):
        found = layout.get_filter(number)[0]
        if found not in _FILTERS:
            raise SourceError(
                f"{where}: expected HDF5's own filters, received number {found} for {array.name!r}; save it uncompressed"
            )
    return int(array.size or 0) * int(array.dtype.itemsize)


def _text_attributes(file: h5py.File) -> dict[str, str]:
    found = (
        (key, file.attrs[key])
        for key in ("model_config", "keras_version", "training_config", "backend")
        if key in file.attrs
    )
    return {key: value.decode() if isinstance(value, bytes) else str(value) for key, value in found}


@contextmanager
def _sorted_errors(where: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError) as error:
        raise SourceError(
            f"{where}: expected an HDF5 file of weights, received {error}; save the model again"
        ) from error

"""Preprocessed inputs by the digest of what came: a picture is decoded once, however often it is asked about.

Keyed by SHA-256: unlike a kept answer, the key would be a whole picture, and a digest of 32 bytes that nobody
can forge is enough to tell two of them apart. Least recently used goes first, within a budget of bytes.
"""

import hashlib
from collections import OrderedDict

import numpy as np

from serving.tensors.dtypes import Array

Key = tuple[str, str, bytes]
"""Which preprocessing, whose input where callers have names, and the digest of what went in."""

_ENTRY_BYTES = 400
"""What Python and numpy add to an entry."""


class InputCache:
    """One cache for all models. Not for several threads."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._entries: OrderedDict[Key, Array] = OrderedDict()
        self.size_bytes = 0
        self.hits = self.misses = 0

    def get(self, key: Key) -> Array | None:
        """The preprocessed row, which must not be written to."""
        row = self._entries.get(key)
        if row is None:
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return row

    def put(self, key: Key, row: Array) -> None:
        """Keep a copy of a row, if it fits."""
        size = row.nbytes + _ENTRY_BYTES
        if key in self._entries or size > self._budget:
            return
        kept = np.array(row)  # a copy: the row is a view into its whole batch, or a scalar
        kept.flags.writeable = False
        self._entries[key] = kept
        self.size_bytes += size
        while self.size_bytes > self._budget:
            _, dropped = self._entries.popitem(last=False)
            self.size_bytes -= dropped.nbytes + _ENTRY_BYTES

    def forget(self, preprocessing: str) -> None:
        """Drop everything of one preprocessing."""
        for key in [key for key in self._entries if key[0] == preprocessing]:
            self.size_bytes -= self._entries.pop(key).nbytes + _ENTRY_BYTES


def digest(value: bytes) -> bytes:
    """What a row is known by."""
    return hashlib.sha256(value).digest()

"""Header blocks to heads, with a memory of the blocks seen before.

Clients repeat themselves: of one connection's calls nearly all come with the same block, byte for byte. A
block that left the dynamic table alone means the same until the table changes, so its head is kept and the
block is never decoded again. A block that changes the table empties the memory.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from serving.http2.codes import ErrorCode
from serving.http2.errors import ConnectionFault
from serving.http2.hpack import Field, HeaderDecoder

HeadT = TypeVar("HeadT")

OVERSIZE_FACTOR: Final = 4
"""A header block that is too large by less than this is decoded and its call refused, not the connection."""
MAX_KEPT_HEADS: Final = 64
MAX_KEPT_BLOCK_BYTES: Final = 1024


class HeadReader(Generic[HeadT]):
    """Reads the header blocks of one connection, in order; `parse` gets the fields, or None if too large."""

    def __init__(self, parse: Callable[[list[Field] | None], HeadT], *, max_header_bytes: int) -> None:
        self._parse = parse
        self._max_block_bytes = max_header_bytes * OVERSIZE_FACTOR
        self._decoder = HeaderDecoder(max_list_bytes=max_header_bytes)
        self._heads: dict[bytes, HeadT] = {}
        self.recall = self._heads.get
        """The head of a block that was read before and means the same now; None for any other."""

    def read(self, block: bytes) -> HeadT:
        """The head of `block`; raises `CompressionFault` and what `parse` raises."""
        head = self._heads.get(block)
        return self._read_anew(block) if head is None else head

    def fields(self, block: bytes) -> list[Field] | None:
        """The bare fields of `block`, or None if they are too large; raises `CompressionFault`."""
        self.check_block_size(len(block))
        generation = self._decoder.generation
        fields = self._decoder.decode(block)
        if self._decoder.generation != generation:
            self._heads.clear()
        return fields

    def check_block_size(self, block_bytes: int) -> None:
        """Refuse to decode, or to collect, a block that no limit of ours allows."""
        if block_bytes > self._max_block_bytes:
            raise ConnectionFault(
                ErrorCode.ENHANCE_YOUR_CALM,
                f"a header block must have at most {self._max_block_bytes} bytes, got {block_bytes}",
            )

    def _read_anew(self, block: bytes) -> HeadT:
        generation = self._decoder.generation
        head = self._parse(self.fields(block))
        if self._decoder.generation == generation and len(block) <= MAX_KEPT_BLOCK_BYTES:
            if len(self._heads) >= MAX_KEPT_HEADS:
                self._heads.clear()
            self._heads[block] = head
        return head

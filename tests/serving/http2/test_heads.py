import pytest

from serving.http2.codes import ErrorCode
from serving.http2.errors import ConnectionFault
from serving.http2.heads import MAX_KEPT_BLOCK_BYTES, MAX_KEPT_HEADS, HeadReader
from serving.http2.hpack import Field, encode_field

INSERT_A = b"\x40\x01a\x011"  # literal with indexing: becomes index 62
INSERT_B = b"\x40\x01b\x012"
INDEX_62 = b"\xbe"
EMPTY_TABLE = b"\x20"


class Parses:
    """Counts what is parsed."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, fields: list[Field] | None) -> tuple[Field, ...]:
        self.count += 1
        return tuple(fields or ())


def test_a_block_that_was_seen_is_not_parsed_again() -> None:
    parses = Parses()
    reader = HeadReader(parses, max_header_bytes=1000)
    block = encode_field(b"x-a", b"1")
    assert reader.read(block) is reader.read(block)
    assert parses.count == 1


def test_equal_blocks_mean_other_fields_once_the_table_has_changed() -> None:
    reader = HeadReader(Parses(), max_header_bytes=1000)
    reader.read(INSERT_A)
    assert reader.read(INDEX_62) == ((b"a", b"1"),)
    reader.read(INSERT_B)
    assert reader.read(INDEX_62) == ((b"b", b"2"),)


def test_trailers_that_change_the_table_empty_the_memory_too() -> None:
    reader = HeadReader(Parses(), max_header_bytes=1000)
    reader.read(INSERT_A)
    reader.read(INDEX_62)
    reader.fields(INSERT_B)
    assert reader.read(INDEX_62) == ((b"b", b"2"),)


def test_an_emptied_table_leaves_nothing_to_remember() -> None:
    reader = HeadReader(Parses(), max_header_bytes=1000)
    reader.read(INSERT_A)
    reader.read(INDEX_62)
    reader.read(EMPTY_TABLE + encode_field(b"x-a", b"1"))
    with pytest.raises(ConnectionFault) as fault:
        reader.read(INDEX_62)
    assert fault.value.code is ErrorCode.COMPRESSION_ERROR


def test_the_memory_is_bounded_in_number_and_size() -> None:
    parses = Parses()
    reader = HeadReader(parses, max_header_bytes=10_000)
    blocks = [encode_field(b"x-a", b"%d" % number) for number in range(MAX_KEPT_HEADS + 1)]
    for block in blocks:
        reader.read(block)
    reader.read(blocks[0])
    assert parses.count == MAX_KEPT_HEADS + 2, "the first was forgotten to make room"
    large = encode_field(b"x-a", b"x" * MAX_KEPT_BLOCK_BYTES)
    reader.read(large)
    reader.read(large)
    assert parses.count == MAX_KEPT_HEADS + 4, "a large block is not kept at all"

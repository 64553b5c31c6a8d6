"""Bytes from strangers: read where they are a message, refused in words where they are not, never anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_export.contract.wire import Message, signed
from model_export.errors import ContractError
from tests.model_export.contract.protos import message, varint


@pytest.mark.parametrize("value", [0, 1, 127, 128, 2**32, 2**63 - 1, 2**64 - 1])
def test_a_number_is_read_as_it_was_written(value: int) -> None:
    assert [each.start for each in Message(message((1, value)), where="x").fields()] == [value]


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (2**63 - 1, 2**63 - 1), (2**63, -(2**63)), (2**64 - 1, -1)]
)
def test_a_negative_number_is_the_upper_half_of_the_range(value: int, expected: int) -> None:
    assert signed(value) == expected


DAMAGED = {
    "a length beyond the end": b"\x0a\x05ab",
    "a number cut short": b"\x08\x80",
    "a number of eleven bytes": b"\x08" + b"\xff" * 10 + b"\x01",
    "a field numbered zero": b"\x00\x00",
    "a field number that another parser would cut": varint(1 << 32 | 1 << 3 | 2) + b"\x01x",
    "a group": b"\x0b\x0c",
    "wire type six": b"\x0e\x00",
    "a fixed number cut short": b"\x09\x00\x00",
    "a huge length": b"\x0a" + varint(2**63) + b"ab",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_damage_is_named_with_its_place(content: bytes) -> None:
    with pytest.raises(ContractError, match=r"model\.pb: expected .* near byte \d+"):
        list(Message(content, where="model.pb").fields())


def test_a_nested_message_cannot_reach_beyond_its_parent() -> None:
    inner = b"\x0a\x40x"
    outer = Message(message((1, inner)) + b"y" * 100, where="x")
    with pytest.raises(ContractError, match="longer than the message around it"):
        list(outer.within(next(outer.fields())))


@pytest.mark.parametrize(("fields", "is_refused"), [(9, False), (10, False), (11, True)])
def test_a_file_of_crumbs_is_refused_at_the_limit(fields: int, is_refused: bool) -> None:
    reader = Message(b"\x08\x00" * fields, where="x", max_fields=10)
    if is_refused:
        with pytest.raises(ContractError, match="more fields than the reader's limit"):
            list(reader.fields())
    else:
        assert len(list(reader.fields())) == fields


@given(st.binary(max_size=200))
def test_any_bytes_are_either_fields_inside_the_buffer_or_a_contract_error(content: bytes) -> None:
    try:
        found = list(Message(content, where="x").fields())
    except ContractError:
        return
    assert all(each.kind == 0 or 0 <= each.start <= each.end <= len(content) for each in found)

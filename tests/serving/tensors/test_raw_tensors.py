"""Tensors as bytes, without a transport."""

import numpy as np
import pytest

from serving.backend.fake import spec
from serving.errors import InvalidRequest
from serving.tensors.dtypes import BY_NAME
from serving.tensors.raw_tensors import read_raw, write_raw

WORDS, FLAGS = spec("words", "string", (None,)), spec("flags", "bool", (None,))


@pytest.mark.parametrize("values", [[], [b""], [b"a", b"", b"\0\xff"], [b"x" * 1000] * 3], ids=len)
def test_strings_are_read_as_they_are_written(values: list[bytes]) -> None:
    array = np.empty(len(values), object)
    array[:] = values
    content = write_raw(array, BY_NAME["string"])
    assert read_raw(content, [len(values)], WORDS).tolist() == values


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(b"", 1, id="nothing"),
        pytest.param(b"\1\0\0", 1, id="half a length"),
        pytest.param(b"\2\0\0\0q", 1, id="too short"),
        pytest.param(b"\1\0\0\0qq", 1, id="too long"),
        pytest.param(b"\xff\xff\xff\xffq", 1, id="four gigabytes"),
        pytest.param(b"\0\0\0\0\4\0\0\0", 3, id="fewer than announced"),
        pytest.param(b"\5\0\0\0\0\0\0\0", 2, id="a length inside a string"),
        pytest.param(b"\0\0\0\0", 2**40, id="a row for every atom"),
    ],
)
def test_strings_that_are_none_are_refused(content: bytes, rows: int) -> None:
    with pytest.raises(InvalidRequest, match=f"must be {rows} strings"):
        read_raw(content, [rows], WORDS)


def test_a_bool_is_zero_or_one() -> None:
    assert read_raw(b"\1\0", [2], FLAGS).tolist() == [True, False]
    with pytest.raises(InvalidRequest, match="bytes 0 and 1 only"):
        read_raw(b"\1\2", [2], FLAGS)

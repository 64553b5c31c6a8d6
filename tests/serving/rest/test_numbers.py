"""The fast way must take nothing that the careful way would not, and give the same numbers."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.backend.fake import signature, spec
from serving.rest.numbers import NumberReader
from serving.tensors.json_inputs import to_array

ROWS = signature([spec("x", "float", (None, 2))], [spec("y", "float", (None,))])


def read(body: Any, described: Any = ROWS) -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    array = NumberReader().read(text, described)
    return None if array is None else array.tolist()


def test_rows_of_numbers_are_read() -> None:
    assert read({"instances": [[1, 2.5], [-3e2, 0]]}) == [[1, 2.5], [-300, 0]]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[[1,2]]", id="no object"),
        pytest.param({"instances": []}, id="no rows"),
        pytest.param({"instances": 1}, id="a number"),
        pytest.param({"instances": [1, 2]}, id="no rows of numbers"),
        pytest.param({"instances": [[1, 2], [3]]}, id="ragged"),
        pytest.param({"instances": [[1], [2, 3, 4]]}, id="ragged with the right sum"),
        pytest.param({"instances": [[[1, 2], []]]}, id="nested with the right sums"),
        pytest.param({"instances": [[1, [2]]]}, id="nested in a single row"),
        pytest.param({"instances": [[1, 2]] * 40 + [[[1, 2], []]]}, id="nested behind many rows"),
        pytest.param({"instances": [[1, 2], 3, [4]]}, id="mixed"),
        pytest.param({"instances": [[1, "2"]]}, id="text"),
        pytest.param({"instances": [[1, True]]}, id="boolean"),
        pytest.param({"instances": [[1, None]]}, id="null"),
        pytest.param({"instances": [{"x": [1, 2]}]}, id="named rows"),
        pytest.param({"inputs": [[1, 2]]}, id="columns"),
        pytest.param({"instances": [[1, 2]], "inputs": [[1, 2]]}, id="both keys"),
        pytest.param({"instances": [[1, 2]], "signature_name": "other"}, id="another signature"),
        pytest.param({"instances": [[1, 16777216]]}, id="an integer that loses precision"),
        pytest.param({"instances": [[1, 1e39]]}, id="too great"),
        pytest.param(b'{"instances":[[1,NaN]]}', id="no number"),
        pytest.param(b'{"instances":[[1,2]]} x', id="something behind"),
    ],
)
def test_whatever_is_not_simple_goes_the_careful_way(body: Any) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    "described",
    [
        signature([spec("x", "int32", (None, 2))], []),
        signature([spec("x", "string", (None, 2))], []),
        signature([spec("x", "float", (None, 2, 1))], []),
        signature([spec("x", "float", (None, None))], []),
        signature([spec("x", "float", None)], []),
        signature([spec("x", "float", (None, 2)), spec("z", "float", (None, 2))], []),
    ],
    ids=str,
)
def test_other_signatures_go_the_careful_way(described: Any) -> None:
    assert read({"instances": [[1, 2]]}, described) is None


def test_a_body_that_was_refused_does_not_spoil_the_next() -> None:
    reader = NumberReader()
    for body in (b'{"instances":[[1,"a"]]}', b"{", b'{"instances":[[1,2]]}'):
        array = reader.read(body, ROWS)
    assert array is not None
    assert array.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("row", "is_taken"),
    [
        ([16777215, 0], True),
        ([16777215, -16777215], True),  # their squares together are beyond the limit's
        ([16777216, 0], False),
        ([-16777216, 0], False),
    ],
)
def test_the_limit_is_that_of_each_number(row: list[int], is_taken: bool) -> None:
    assert (read({"instances": [row]}) is not None) is is_taken


@pytest.mark.parametrize("count", [1, 15, 16, 17, 100])
def test_any_number_of_rows_is_read(count: int) -> None:
    assert read({"instances": [[number, 1] for number in range(count)]}) == [[n, 1] for n in range(count)]


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6) | st.integers(-1000, 1000), min_size=2, max_size=2), min_size=1)
)
def test_both_ways_give_the_same_bits(rows: list[list[float]]) -> None:
    fast = NumberReader().read(json.dumps({"instances": rows}).encode(), ROWS)
    assert fast is not None
    np.testing.assert_array_equal(fast, to_array(rows, ROWS.inputs["x"]))

import json
import math
from typing import Any

import numpy as np
import pytest

from serving.backend.fake import spec
from serving.errors import InvalidRequest, Unsupported
from serving.tensors.json_inputs import to_array


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        pytest.param([[1, 2.5], [3, 4]], "float", [[1.0, 2.5], [3.0, 4.0]], id="floats and whole numbers"),
        pytest.param(1.5, "double", 1.5, id="scalar"),
        pytest.param([16777215], "float", [16777215.0], id="greatest exact integer"),
        pytest.param([1e30], "float", [np.float32(1e30)], id="a decimal above the exact integers"),
        pytest.param([-128, 127], "int8", [-128, 127], id="edges of int8"),
        pytest.param([2**64 - 1], "uint64", [2**64 - 1], id="greatest uint64"),
        pytest.param([-(2**63), 2**63 - 1], "int64", [-(2**63), 2**63 - 1], id="edges of int64"),
        pytest.param([True, False], "bool", [True, False], id="booleans"),
        pytest.param([], "float", [], id="empty"),
        pytest.param([[], []], "int32", [[], []], id="empty rows"),
        pytest.param([1.5, -2], "half", [1.5, -2.0], id="half"),
        pytest.param(["a", {"b64": "AP8="}], "string", [b"a", b"\0\xff"], id="text and base64"),
        pytest.param({"b64": ""}, "string", b"", id="base64 scalar"),
        pytest.param(["é"], "string", ["é".encode()], id="text is UTF-8"),
    ],
)
def test_values_become_arrays(value: Any, dtype: str, expected: Any) -> None:
    array = to_array(value, spec("x", dtype, None))
    assert array.tolist() == expected
    assert array.dtype == spec("x", dtype, None).dtype.storage


def test_what_is_not_finite_is_taken() -> None:
    array = to_array(json.loads("[NaN, Infinity, -Infinity]"), spec("x", "float", (None,)))
    assert math.isnan(array[0])
    assert array[1:].tolist() == [math.inf, -math.inf]


def test_bfloat16_is_rounded_to_its_bits() -> None:
    assert to_array([1.0, -2.0], spec("x", "bfloat16", None)).tolist() == [0x3F80, 0xC000]


@pytest.mark.parametrize(
    ("value", "dtype", "complaint"),
    [
        pytest.param(
            ["a"], "float", 'JSON Value: "a" Type: String is not of expected type: float', id="text"
        ),
        pytest.param(
            [None], "float", "JSON Value: null Type: Null is not of expected type: float", id="null"
        ),
        pytest.param(
            [1, True], "int32", "JSON Value: true Type: True is not of expected type: int32", id="bool"
        ),
        pytest.param(
            [[1.0], [True]], "float", "Type: True is not of expected type: float", id="bool in a later row"
        ),
        pytest.param(
            [1.0], "int32", "JSON Value: 1.0 Type: Number is not of expected type: int32", id="decimal"
        ),
        pytest.param([128], "int8", "JSON Value: 128 Type: Number", id="above int8"),
        pytest.param([-1], "uint32", "JSON Value: -1 Type: Number", id="negative"),
        pytest.param([2**64], "uint64", "Type: Number is not of expected type: uint64", id="beyond 64 bits"),
        pytest.param(
            [1], "bool", "JSON Value: 1 Type: Number is not of expected type: bool", id="number as bool"
        ),
        pytest.param(
            [16777216], "float", "Cannot convert JSON value: 16777216 to float without", id="lossy integer"
        ),
        pytest.param(
            [1e39], "float", "Cannot convert JSON value: 1e\\+39 to float without loss", id="overflow"
        ),
        pytest.param(
            [1], "string", "JSON Value: 1 Type: Number is not of expected type: string", id="number as text"
        ),
        pytest.param(
            [{"b64": 1}], "string", "not formatted correctly for base64 data", id="base64 of no text"
        ),
        pytest.param([{"b64": "!"}], "string", "Unable to base64 decode", id="no base64"),
        pytest.param([{"x": 1}], "float", 'JSON Value: {"x": 1} Type: Object is not', id="object"),
        pytest.param([[1, 2], [3]], "float", "unexpected size: 1 at level: 1 expected size: 2", id="ragged"),
        pytest.param(
            [[1], 2], "float", "found at incorrect level: 2 in the JSON DOM. Expected at level: 2", id="level"
        ),
        pytest.param(
            [1, [2]], "float", "Encountered list at unexpected level: 1 expected < 1", id="too deep"
        ),
    ],
)
def test_a_value_against_the_rules_is_refused_in_tensorflow_servings_words(
    value: Any, dtype: str, complaint: str
) -> None:
    with pytest.raises(InvalidRequest, match=complaint):
        to_array(value, spec("x", dtype, None))


def test_a_shape_that_does_not_fit_names_the_input_and_both_shapes() -> None:
    with pytest.raises(
        InvalidRequest, match=r"input x must be of type float and shape \[-1,3\], got shape \[1,2\]"
    ):
        to_array([[1, 2]], spec("x", "float", (None, 3)))


def test_complex_numbers_have_no_json() -> None:
    with pytest.raises(Unsupported, match="to type: complex64"):
        to_array([1], spec("x", "complex64", None))


def test_a_long_value_is_cut_short_in_the_message() -> None:
    with pytest.raises(InvalidRequest) as caught:
        to_array(["a" * 100_000], spec("x", "float", None))
    assert len(str(caught.value)) < 400

import json
from typing import Any

import numpy as np
import pytest

from serving.backend.fake import spec
from serving.errors import InvalidRequest, Unsupported
from serving.tensors.dtypes import Array, float_to_bfloat16
from serving.tensors.json_outputs import write_columns, write_rows

FLOATS = np.array([[0.1, 2], [3, 4]], np.float32)
LABELS = np.array([b"cat", b"dog"], object)


def rows(**outputs: tuple[str, Array]) -> str:
    arrays = {alias: array for alias, (_, array) in outputs.items()}
    return write_rows(
        arrays, {alias: spec(alias, dtype, None) for alias, (dtype, _) in outputs.items()}
    ).decode()


def columns(**outputs: tuple[str, Array]) -> str:
    arrays = {alias: array for alias, (_, array) in outputs.items()}
    return write_columns(
        arrays, {alias: spec(alias, dtype, None) for alias, (dtype, _) in outputs.items()}
    ).decode()


def test_one_output_is_a_plain_list() -> None:
    assert rows(y=("float", FLOATS)) == '{"predictions":[[0.1,2.0],[3.0,4.0]]}'


def test_several_outputs_are_an_object_per_row() -> None:
    assert json.loads(rows(y=("float", FLOATS), label=("string", LABELS))) == {
        "predictions": [{"y": [0.1, 2.0], "label": "cat"}, {"y": [3.0, 4.0], "label": "dog"}]
    }


def test_columns_hold_whole_outputs() -> None:
    assert columns(y=("float", FLOATS)) == '{"outputs":[[0.1,2.0],[3.0,4.0]]}'
    assert json.loads(columns(y=("float", FLOATS), label=("string", LABELS))) == {
        "outputs": {"y": [[0.1, 2.0], [3.0, 4.0]], "label": ["cat", "dog"]}
    }


@pytest.mark.parametrize(
    ("dtype", "array", "expected"),
    [
        pytest.param("float", np.float32(0.1).reshape(()), "0.1", id="float scalar"),
        pytest.param("int64", np.array(7), "7", id="integer scalar"),
        pytest.param("string", np.array(b"a", object), '"a"', id="string scalar"),
        pytest.param("bool", np.array([True, False]), "[true,false]", id="booleans"),
        pytest.param("uint64", np.array([2**64 - 1], np.uint64), f"[{2**64 - 1}]", id="greatest uint64"),
        pytest.param("half", np.array([0.5], np.float16), "[0.5]", id="half"),
        pytest.param("bfloat16", float_to_bfloat16(np.array([1.5], np.float32)), "[1.5]", id="bfloat16"),
        pytest.param(
            "float", np.array([np.nan, np.inf, -np.inf], np.float32), "[NaN,Infinity,-Infinity]", id="nan"
        ),
        pytest.param(
            "float", np.array([np.inf, 0.1], np.float32), "[Infinity,0.1]", id="shortest beside infinity"
        ),
        pytest.param("double", np.array(np.nan), "NaN", id="scalar nan"),
        pytest.param("float", np.zeros((0, 3), np.float32), "[]", id="empty"),
    ],
)
def test_values_are_written_as_tensorflow_serving_writes_them(dtype: str, array: Any, expected: str) -> None:
    assert columns(y=(dtype, array)) == f'{{"outputs":{expected}}}'


def test_an_output_named_bytes_is_base64() -> None:
    assert columns(image_bytes=("string", np.array([b"\0\xff"], object))) == '{"outputs":[{"b64":"AP8="}]}'


def test_bytes_that_are_no_text_are_base64_too() -> None:
    assert columns(y=("string", np.array([b"\xff"], object))) == '{"outputs":[{"b64":"/w=="}]}'


def test_an_output_without_rows_has_no_row_format() -> None:
    with pytest.raises(InvalidRequest, match="Tensor name: y has no shape information"):
        rows(y=("float", np.array(1, np.float32)))


def test_outputs_with_other_numbers_of_rows_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="Tensor name: z has inconsistent batch size: 1 expecting: 2"):
        rows(y=("float", FLOATS), z=("float", FLOATS[:1]))


def test_complex_numbers_have_no_json() -> None:
    with pytest.raises(Unsupported, match="complex64; ask over gRPC"):
        columns(y=("complex64", np.array([1j], np.complex64)))

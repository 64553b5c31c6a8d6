import json
from typing import Any

import numpy as np
import pytest

from serving.backend.fake import spec
from serving.errors import InvalidRequest, Unsupported
from serving.tensors.dtypes import Array, float_to_bfloat16
from serving.tensors.json_outputs import row_texts, write_columns, write_rows

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


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 1), (3, 2, 2), (3, 1, 1, 2), (1, 2)], ids=str)
@pytest.mark.parametrize("dtype", ["float", "double", "half"])
def test_rows_written_together_are_as_those_written_alone(shape: tuple[int, ...], dtype: str) -> None:
    array = np.random.default_rng(7).normal(size=shape).astype(spec("y", dtype, None).dtype.storage)
    texts = row_texts([array])
    assert texts is not None
    for start in range(len(array)):
        for end in range(start + 1, len(array) + 1):
            assert texts.write(start, end).decode() == rows(y=(dtype, array[start:end]))


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.array([1, np.nan], np.float32), id="no number"),
        pytest.param(np.array([1, np.inf], np.float32), id="infinite"),
        pytest.param(np.zeros((2, 0), np.float32), id="empty rows"),
        pytest.param(np.zeros((0, 2), np.float32), id="no rows"),
        pytest.param(np.float32(1), id="no axis"),
        pytest.param(np.array([1, 2], np.uint16), id="perhaps the bits of bfloat16"),
        pytest.param(LABELS, id="text"),
    ],
)
def test_rows_that_need_a_closer_look_are_not_written_together(array: Array) -> None:
    assert row_texts([np.asarray(array)]) is None


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

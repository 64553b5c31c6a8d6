"""Inputs of other shapes than the signature says: TensorFlow judges them, they travel alone, and a setting refuses them.

TensorFlow Serving's own examples need it: the input of its half_plus_two is described as [-1,1], and asked with [3].
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from serving.backend import FakeBackend
from serving.protos import predict_pb2
from serving.tensors.dtypes import Array
from tests.serving.access.worlds import PREDICT, ask_grpc, ask_rest, serve
from tests.serving.processes import serving
from tests.serving.worlds import DOUBLE

V1, V2 = "/v1/models/double:predict", "/v2/models/double/infer"
TOLD = "input x must be of type float and shape [-1,2], got shape [3]"


def elementwise() -> FakeBackend:
    """Takes any shape, as a graph of additions and multiplications does."""
    return FakeBackend([DOUBLE], double, takes_any_shape=True)


def double(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    return {"y": inputs["x"] * np.float32(2)}


def question(values: Any) -> bytes:
    array = np.array(values, np.float32)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "double"
    request.inputs["x"].dtype = 1
    for size in array.shape:
        request.inputs["x"].tensor_shape.dim.add(size=size)
    request.inputs["x"].tensor_content = array.tobytes()
    serialized: bytes = request.SerializeToString()
    return serialized


@pytest.mark.parametrize(
    ("body", "answered"),
    [
        ({"instances": [1, 2, 5]}, {"predictions": [2, 4, 10]}),
        ({"instances": [{"x": 1}, {"x": 2}]}, {"predictions": [2, 4]}),
        ({"instances": [[[1, 2]], [[3, 4]]]}, {"predictions": [[[2, 4]], [[6, 8]]]}),
        ({"inputs": 1}, {"outputs": 2}),
        ({"inputs": {"x": [1, 2, 3]}}, {"outputs": [2, 4, 6]}),
    ],
    ids=["plain rows", "named rows", "deeper rows", "a number", "columns"],
)
async def test_rest_leaves_the_shape_to_the_graph(tmp_path: Path, body: Any, answered: Any) -> None:
    async with serve(tmp_path, backend=elementwise) as server:
        for _ in range(2):  # the second one may be kept
            response = await ask_rest(server, V1, body=body)
            assert (response.status_code, response.json()) == (200, answered)


async def test_grpc_leaves_the_shape_to_the_graph(tmp_path: Path) -> None:
    async with serve(tmp_path, backend=elementwise, output_cache_bytes=0) as server:
        for values in ([1, 2, 5], [1, 2, 5], [[1, 2]], [3, 4, 5]):
            code, message = await ask_grpc(server, PREDICT, question(values))
            assert code is grpc.StatusCode.OK
            assert isinstance(message, bytes)
            output = predict_pb2.PredictResponse.FromString(message).outputs["y"]
            assert list(output.float_val) == (np.array(values).ravel() * 2).tolist()
            assert [axis.size for axis in output.tensor_shape.dim] == list(np.shape(values))


async def test_what_the_graph_refuses_is_told_with_the_shape_that_the_signature_has(tmp_path: Path) -> None:
    async with serve(tmp_path, models=("double",)) as server:  # this graph is strict
        response = await ask_rest(server, V1, body={"instances": [1, 2, 5]})
        assert (response.status_code, response.json()["error"].startswith(TOLD)) == (400, True)
        code, said = await ask_grpc(server, PREDICT, question([1, 2, 5]))
        assert (code, str(said).startswith(TOLD)) == (grpc.StatusCode.INVALID_ARGUMENT, True)


async def test_a_setting_refuses_what_does_not_fit_before_the_graph_sees_it(tmp_path: Path) -> None:
    backend = elementwise()
    async with serve(tmp_path, backend=lambda: backend, enable_input_shape_check=True) as server:
        response = await ask_rest(server, V1, body={"instances": [1, 2, 5]})
        assert (response.status_code, response.json()) == (400, {"error": TOLD})
        code, said = await ask_grpc(server, PREDICT, question([1, 2, 5]))
        assert (code, said) == (grpc.StatusCode.INVALID_ARGUMENT, TOLD)
    assert backend.calls == []


async def test_the_open_inference_protocol_names_a_shape_and_keeps_to_the_signatures(tmp_path: Path) -> None:
    tensor = {"name": "x", "datatype": "FP32", "shape": [3], "data": [1, 2, 5]}
    async with serve(tmp_path, backend=elementwise) as server:
        response = await ask_rest(server, V2, body={"inputs": [tensor]})
    assert (response.status_code, TOLD in response.json()["error"]) == (400, True)


async def test_questions_of_other_shapes_never_share_a_call(tmp_path: Path) -> None:
    backend = FakeBackend([DOUBLE], double, takes_any_shape=True)
    async with serve(tmp_path, backend=lambda: backend, output_cache_bytes=0) as server:
        rows: list[Any] = [[[1, 2]], [[[1, 2]]], [[3, 4]], [[[5, 6], [7, 8]]]]
        responses = await asyncio.gather(
            *[ask_rest(server, V1, body={"instances": instances}) for instances in rows]
        )
    assert [response.json()["predictions"] for response in responses] == [
        (np.array(instances) * 2).tolist() for instances in rows
    ]
    alone = [call["x"].shape for call in backend.calls if call["x"].ndim != 2]
    assert sorted(alone) == [(1, 1, 2), (1, 2, 2)]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("backend", "status", "said"),
    [
        ("c_api", 200, b'{"predictions":[3.5,4.0,5.5]}'),
        ("python", 400, b"input x must be of type float and shape [-1,1], got shape [3]: Cannot feed value"),
    ],
    ids=["c_api", "python checks it itself"],
)
def test_the_first_example_of_tensorflow_serving_is_answered_by_a_model_like_its_own(
    models: Path, backend: str, status: int, said: bytes
) -> None:
    flags = ["--model_name=half_plus_two", f"--model_base_path={models / 'half_plus_two'}"]
    with serving(*flags, f"--backend={backend}") as process:
        answered, body = process.get("/v1/models/half_plus_two:predict", {"instances": [1.0, 2.0, 5.0]})
    assert (answered, said in body) == (status, True), body

"""Inputs that a question leaves out take their defaults, at every interface."""

import json
import logging
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from serving import open_inference
from serving.backend import FakeBackend, load_session
from serving.backend.fake import signature, spec
from serving.protos import predict_pb2, saved_model_pb2
from serving.settings import ServingSettings
from serving.tensors.meta_graphs import read_signatures
from tests.serving.access.worlds import PREDICT, ask_grpc, ask_rest, serve
from tests.serving.rest.test_openapi import document

INFER = f"/{open_inference.SERVICE}/ModelInfer"
SCALED = signature(
    [spec("x", "float", (None, 2)), spec("scale", "float", ()), spec("shift", "float", ())],
    [spec("y", "float", (None, 2))],
    defaults={"scale": np.float32(2).reshape(()), "shift": np.float32(1).reshape(())},
)


def scaled() -> FakeBackend:
    return FakeBackend([SCALED], lambda inputs: {"y": inputs["x"] * inputs["scale"] + inputs["shift"]})


def question(**values: Any) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "double"
    for alias, value in values.items():
        array = np.array(value, np.float32)
        tensor = request.inputs[alias]
        tensor.dtype = 1
        for size in array.shape:
            tensor.tensor_shape.dim.add(size=size)
        tensor.float_val.extend(array.ravel().tolist())
    serialized: bytes = request.SerializeToString()
    return serialized


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ({"x": [[1, 2]]}, [3, 5]),
        ({"x": [[1, 2]], "scale": 3}, [4, 7]),
        ({"x": [[1, 2]], "shift": 0}, [2, 4]),
        ({"x": [[1, 2]], "scale": 3, "shift": 0}, [3, 6]),
    ],
    ids=["none", "one", "the other", "both"],
)
async def test_predict_fills_in_what_is_left_out(tmp_path: Path, sent: Any, answer: list[float]) -> None:
    async with serve(tmp_path, backend=scaled) as server:
        for _ in range(2):  # the second one may take a short way
            code, message = await ask_grpc(server, PREDICT, question(**sent))
            assert code is grpc.StatusCode.OK
            assert isinstance(message, bytes)
            assert list(predict_pb2.PredictResponse.FromString(message).outputs["y"].float_val) == answer


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        pytest.param(
            {"scale": 1},
            "Signature input alias: x(feed name: x:0) not found in request and no default value provided. Inputs "
            "expected to be in the request {scale}, or default input alias set: scale,shift",
            id="missing",
        ),
        pytest.param(
            {"x": [[1, 2]], "z": 1},
            "Inputs contains invalid name. Used request inputs: x, request input: x,z",
            id="unknown",
        ),
        pytest.param(
            {"x": [[1, 2]], "scale": 1, "shift": 1, "z": 1},
            "input size does not match signature: 4!=3 len({scale,shift,x,z})",
            id="too many",
        ),
    ],
)
async def test_what_has_no_default_is_missed_in_tensorflows_words(
    tmp_path: Path, sent: Any, complaint: str
) -> None:
    async with serve(tmp_path, backend=scaled) as server:
        code, said = await ask_grpc(server, PREDICT, question(**sent))
    assert (code, complaint in str(said)) == (grpc.StatusCode.INVALID_ARGUMENT, True), said


X = {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}
SHIFT = {"name": "shift", "datatype": "FP32", "shape": [], "data": [0]}


@pytest.mark.parametrize(
    ("path", "body", "status", "answer"),
    [
        pytest.param("/v1/models/double:predict", {"inputs": {"x": [[1, 2]]}}, 200, [[3, 5]], id="columns"),
        pytest.param(
            "/v1/models/double:predict", {"inputs": {"x": [[1, 2]], "shift": 0}}, 200, [[2, 4]], id="some"
        ),
        pytest.param(
            "/v1/models/double:predict",
            {"instances": [{"x": [1, 2]}, {"x": [3, 4]}]},
            200,
            [[3, 5], [7, 9]],
            id="rows",
        ),
        pytest.param(
            "/v1/models/double:predict",
            {"instances": [{"x": [1, 2]}, {"x": [3, 4], "scale": 1}]},
            400,
            "keys must be equal to: x",
            id="rows that differ",
        ),
        pytest.param(
            "/v1/models/double:predict", {"inputs": {"scale": 1}}, 400, "Missing named input: x", id="missing"
        ),
        pytest.param("/v2/models/double/infer", {"inputs": [X]}, 200, [3, 5], id="v2"),
        pytest.param("/v2/models/double/infer", {"inputs": [X, SHIFT]}, 200, [2, 4], id="v2, some"),
        pytest.param(
            "/v2/models/double/infer", {"inputs": [SHIFT]}, 400, "expected the inputs", id="v2, missing"
        ),
        pytest.param(
            "/v2/models/double/infer", {"inputs": [X, X]}, 400, "expected the inputs", id="v2, twice"
        ),
    ],
)
async def test_rest_fills_in_what_is_left_out(
    tmp_path: Path, path: str, body: Any, status: int, answer: Any
) -> None:
    async with serve(tmp_path, backend=scaled) as server:
        response = await ask_rest(server, path, body=body)
    told = response.json()
    assert response.status_code == status
    if status == 200:
        found = told.get("outputs", told.get("predictions"))
        assert (found[0]["data"] if path.startswith("/v2") else found) == answer
    else:
        assert answer in told["error"]


@pytest.mark.parametrize(
    ("names", "code"), [(["x"], grpc.StatusCode.OK), (["x", "x"], grpc.StatusCode.INVALID_ARGUMENT)]
)
async def test_v2_over_grpc_fills_in_too(tmp_path: Path, names: list[str], code: grpc.StatusCode) -> None:
    request = open_inference.ModelInferRequest(model_name="double")
    for name in names:
        tensor = request.inputs.add(name=name, datatype="FP32", shape=[1, 2])
        tensor.contents.fp32_contents.extend([1, 2])
    async with serve(tmp_path, backend=scaled) as server:
        found, message = await ask_grpc(server, INFER, request.SerializeToString())
    assert found is code
    if code is grpc.StatusCode.OK:
        response = open_inference.ModelInferResponse.FromString(message)
        assert list(response.outputs[0].contents.fp32_contents) == [3, 5]


def test_the_document_asks_only_for_what_must_be_sent() -> None:
    described = document(SCALED)["paths"]["/v1/models/double:predict"]["post"]["requestBody"]["content"]
    rows, columns, *_ = described["application/json"]["schema"]["anyOf"]
    row = rows["properties"]["instances"]["items"]
    assert (list(row["properties"]), row["required"]) == (["x"], ["x"])
    named = columns["properties"]["inputs"]
    assert (sorted(named["properties"]), named["required"]) == (["scale", "shift", "x"], ["x"])


def test_a_default_that_does_not_fit_leaves_its_input_to_the_client(caplog: pytest.LogCaptureFixture) -> None:
    meta_graph = scaled().meta_graph
    default = meta_graph.signature_def["serving_default"].defaults["scale"]
    default.dtype = 3
    default.int_val.append(2)
    with caplog.at_level(logging.WARNING):
        found = read_signatures(meta_graph)["serving_default"]
    assert found.required == {"x", "scale", "shift"}
    assert "input scale must be of type float" in caplog.text


@pytest.mark.tensorflow
@pytest.mark.parametrize("backend", ["c_api", "python"])
def test_the_defaults_of_a_saved_model_are_read_and_its_graph_takes_them(
    models: Path, tmp_path: Path, backend: str
) -> None:
    source = saved_model_pb2.SavedModel.FromString((models / "half_plus_two/1/saved_model.pb").read_bytes())
    default = source.meta_graphs[0].signature_def["serving_default"].defaults["x"]
    default.dtype = 1
    for size in (3, 1):
        default.tensor_shape.dim.add(size=size)
    default.float_val.append(4)  # TensorFlow's rule: the last value fills what is missing
    (tmp_path / "saved_model.pb").write_bytes(source.SerializeToString())
    session = load_session(tmp_path, ServingSettings(backend=backend))
    asked = session.signatures["serving_default"]
    run = session.bind(list(asked.inputs.values()), list(asked.outputs.values()))
    (answer,) = run(asked.complete({}))
    session.close()
    assert json.dumps(answer.tolist()) == "[[4.0], [4.0], [4.0]]"

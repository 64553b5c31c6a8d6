"""The gRPC methods as functions from bytes to bytes, over a fake backend."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grpc_health.v1 import health_pb2

from serving.calls import Call
from serving.grpc import Method, StatusCode
from serving.grpc.calls import finished
from serving.protos import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from tests.serving.grpc.tables import open_table, refused

PREDICT = "/tensorflow.serving.PredictionService/Predict"
METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"
STATUS = "/tensorflow.serving.ModelService/GetModelStatus"
HEALTH = "/grpc.health.v1.Health/Check"


@pytest.fixture
async def table(tmp_path: Path) -> dict[str, Method]:
    return await open_table(tmp_path)


def question(name: str = "double", x: Any = ((1, 2),), **spec: Any) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    for key, value in spec.items():
        if key == "version":
            request.model_spec.version.value = value
        else:
            setattr(request.model_spec, key, value)
    array = np.array(x, np.float32)
    request.inputs["x"].dtype = 1
    for size in array.shape:
        request.inputs["x"].tensor_shape.dim.add(size=size)
    request.inputs["x"].tensor_content = array.tobytes()
    return request


async def ask(table: dict[str, Method], request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
    return predict_pb2.PredictResponse.FromString(
        await finished(table[PREDICT], request.SerializeToString(), Call())
    )


async def test_predict_answers_with_typed_lists_and_the_version_that_answered(
    table: dict[str, Method],
) -> None:
    response = await ask(table, question())
    assert list(response.outputs["y"].float_val) == [2, 4]
    assert not response.outputs["y"].tensor_content
    assert response.model_spec.name == "double"
    assert response.model_spec.version.value == 3
    assert response.model_spec.signature_name == "serving_default"


async def test_a_version_can_be_named(table: dict[str, Method]) -> None:
    assert (await ask(table, question(version=3))).model_spec.version.value == 3


async def test_answers_are_tensor_content_where_that_is_set(tmp_path: Path) -> None:
    table = await open_table(tmp_path, enable_serialization_as_tensor_content=True)
    output = (await ask(table, question())).outputs["y"]
    assert np.frombuffer(output.tensor_content, np.float32).tolist() == [2, 4]
    assert not output.float_val


async def test_only_the_outputs_that_are_asked_for_are_sent(table: dict[str, Method]) -> None:
    request = predict_pb2.PredictRequest(output_filter=["text"])
    request.model_spec.name, request.model_spec.signature_name = "double", "pair"
    request.inputs["a"].dtype, request.inputs["b"].dtype = 1, 7
    for alias in "ab":
        request.inputs[alias].tensor_shape.dim.add(size=1)
    request.inputs["a"].float_val.append(1)
    request.inputs["b"].string_val.append(b"q")
    response = await ask(table, request)
    assert {alias: list(tensor.string_val) for alias, tensor in response.outputs.items()} == {"text": [b"Q"]}


def changed(change: Any) -> bytes:
    request = question()
    change(request)
    return request.SerializeToString()


def add_input(request: predict_pb2.PredictRequest) -> None:
    request.inputs["z"].dtype = 1


def rename_input(request: predict_pb2.PredictRequest) -> None:
    add_input(request)
    del request.inputs["x"]


@pytest.mark.parametrize(
    ("message", "code", "complaint"),
    [
        pytest.param(
            b"\xff", "INVALID_ARGUMENT", "expected a tensorflow.serving.PredictRequest", id="no message"
        ),
        pytest.param(b"", "INVALID_ARGUMENT", "Missing ModelSpec", id="no spec"),
        pytest.param(
            question("").SerializeToString(), "INVALID_ARGUMENT", "ModelSpec has no name", id="no name"
        ),
        pytest.param(
            question("nope").SerializeToString(),
            "NOT_FOUND",
            "Servable not found for request: Latest(nope)",
            id="model",
        ),
        pytest.param(
            question(version=9).SerializeToString(), "NOT_FOUND", "request: Specific(double, 9)", id="version"
        ),
        pytest.param(
            question(version_label="x").SerializeToString(),
            "INVALID_ARGUMENT",
            "version label: x",
            id="label",
        ),
        pytest.param(
            question(signature_name="nope").SerializeToString(),
            "FAILED_PRECONDITION",
            'Serving signature key "nope" not found',
            id="signature",
        ),
        pytest.param(
            changed(add_input),
            "INVALID_ARGUMENT",
            "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. "
            "Missing but required: {}.",
            id="input too many",
        ),
        pytest.param(
            changed(rename_input),
            "INVALID_ARGUMENT",
            "input tensor alias not found in signature: z. Inputs expected to be in the set {x}.",
            id="another input",
        ),
        pytest.param(
            changed(lambda request: request.output_filter.append("z")),
            "INVALID_ARGUMENT",
            "output tensor alias not found in signature: z Outputs expected to be in the set {y}.",
            id="unknown output",
        ),
        pytest.param(
            changed(lambda request: request.output_filter.extend(["y", "y"])),
            "INVALID_ARGUMENT",
            "duplicate output tensor alias: y",
            id="output twice",
        ),
        pytest.param(
            question(x=[[1, 2, 3]]).SerializeToString(),
            "INVALID_ARGUMENT",
            "input x must be of type float and shape [-1,2], got shape [1,3]",
            id="shape",
        ),
    ],
)
async def test_a_wrong_question_gets_tensorflow_servings_code_and_words(
    table: dict[str, Method], message: bytes, code: str, complaint: str
) -> None:
    answered, text = await refused(table, PREDICT, message)
    assert (answered.name, complaint in text) == (code, True), text


async def test_metadata_packs_the_signatures(table: dict[str, Method]) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "double"
    message = await finished(table[METADATA], request.SerializeToString(), Call())
    response = get_model_metadata_pb2.GetModelMetadataResponse.FromString(message)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert sorted(signatures.signature_def) == ["broken", "pair", "serving_default"]
    assert response.model_spec.version.value == 3


async def test_an_unknown_metadata_field_is_refused(table: dict[str, Method]) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["weights"])
    request.model_spec.name = "double"
    assert await refused(table, METADATA, request.SerializeToString()) == (
        StatusCode.INVALID_ARGUMENT,
        "Metadata field weights is not supported",
    )


async def test_status_lists_the_versions(table: dict[str, Method]) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "double"
    message = await finished(table[STATUS], request.SerializeToString(), Call())
    (status,) = get_model_status_pb2.GetModelStatusResponse.FromString(message).model_version_status
    assert (status.version, status.state, status.status.error_code) == (3, 30, 0)


@pytest.mark.parametrize(("is_ready", "expected"), [(True, "SERVING"), (False, "NOT_SERVING")])
async def test_health_tells_the_truth(tmp_path: Path, is_ready: bool, expected: str) -> None:
    table = await open_table(tmp_path, is_ready=is_ready)
    for service in ("", "tensorflow.serving.PredictionService"):
        message = await finished(
            table[HEALTH], health_pb2.HealthCheckRequest(service=service).SerializeToString(), Call()
        )
        status = health_pb2.HealthCheckResponse.FromString(message).status
        assert health_pb2.HealthCheckResponse.ServingStatus.Name(status) == expected


async def test_the_health_of_an_unknown_service_is_not_found(table: dict[str, Method]) -> None:
    message = health_pb2.HealthCheckRequest(service="nope").SerializeToString()
    assert (await refused(table, HEALTH, message))[0] is StatusCode.NOT_FOUND


@pytest.mark.parametrize("as_content", [False, True], ids=["lists", "content"])
async def test_answers_of_the_same_and_of_another_shape_are_written_alike(
    tmp_path: Path, as_content: bool
) -> None:
    """The second answer of a shape is written around what the first one left behind."""
    table = await open_table(
        tmp_path, enable_serialization_as_tensor_content=as_content, output_cache_bytes=0
    )
    for x in ([[1, 2]], [[3, 4]], [[1, 2], [3, 4]], [[5, 6]], [[5, 6], [7, 8]]):
        response = await ask(table, question(x=x))
        output = response.outputs["y"]
        found = np.frombuffer(output.tensor_content, np.float32) if as_content else output.float_val
        assert list(found) == [2 * value for row in x for value in row]
        assert [axis.size for axis in output.tensor_shape.dim] == [len(x), 2]
        assert response.model_spec.version.value == 3

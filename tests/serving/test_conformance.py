"""TensorFlow Serving's own client stubs and documented REST examples against a real server and real TensorFlow."""

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from serving import protos
from tests.serving.processes import Process, serving

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module", params=["http2", "grpcio"])
def server(models: Path, request: pytest.FixtureRequest) -> Iterator[Process]:
    flags = [
        f"--model_base_path={models / 'half_plus_two'}",
        "--model_name=half_plus_two",
        "--drain_seconds=0",
        f"--grpc_transport={request.param}",
    ]
    with serving(*flags) as process:
        yield process


@pytest.fixture(scope="module")
def channel(server: Process) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as opened:
        yield opened


def examples(*values: float) -> protos.input_pb2.Input:
    message = protos.input_pb2.Input()
    for value in values:
        example = message.example_list.examples.add()
        example.features.feature["x"].float_list.value.append(value)
    return message


def stub(channel: grpc.Channel) -> object:
    # The generated stubs import TensorFlow's package; a test may have it.
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def test_regress_answers_the_stub_of_tensorflow_serving(channel: grpc.Channel) -> None:
    request = protos.regression_pb2.RegressionRequest(input=examples(2, 4))
    request.model_spec.name, request.model_spec.signature_name = "half_plus_two", "regress_x_to_y"
    response = stub(channel).Regress(request, timeout=30)  # type: ignore[attr-defined]
    assert [entry.value for entry in response.result.regressions] == [4.0, 5.0]
    assert response.model_spec.version.value == 2


def test_classify_answers_the_stub_of_tensorflow_serving(channel: grpc.Channel) -> None:
    request = protos.classification_pb2.ClassificationRequest(input=examples(2))
    request.model_spec.name, request.model_spec.signature_name = "half_plus_two", "classify_x_to_y"
    response = stub(channel).Classify(request, timeout=30)  # type: ignore[attr-defined]
    (row,) = response.result.classifications
    assert [(entry.label, entry.score) for entry in row.classes] == [("number", 4.0)]


def test_multi_inference_answers_every_task(channel: grpc.Channel) -> None:
    request = protos.inference_pb2.MultiInferenceRequest(input=examples(2))
    for name, method in (("regress_x_to_y", "regress"), ("classify_x_to_y", "classify")):
        task = request.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name, task.model_spec.signature_name = "half_plus_two", name
    response = stub(channel).MultiInference(request, timeout=30)  # type: ignore[attr-defined]
    first, second = response.results
    assert [entry.value for entry in first.regression_result.regressions] == [4.0]
    assert [entry.score for entry in second.classification_result.classifications[0].classes] == [4.0]
    assert [result.model_spec.version.value for result in response.results] == [2, 2]


def test_an_example_without_its_feature_is_the_askers_fault(channel: grpc.Channel) -> None:
    request = protos.regression_pb2.RegressionRequest()
    request.model_spec.name, request.model_spec.signature_name = "half_plus_two", "regress_x_to_y"
    request.input.example_list.examples.add()
    with pytest.raises(grpc.RpcError) as caught:
        stub(channel).Regress(request, timeout=30)  # type: ignore[attr-defined]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "x" in caught.value.details()


def test_reflection_lists_the_services(channel: grpc.Channel) -> None:
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
    (answer,) = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=30)
    names = [service.name for service in answer.list_services_response.service]
    assert "tensorflow.serving.PredictionService" in names
    (answer,) = ask(
        iter(
            [
                reflection_pb2.ServerReflectionRequest(
                    file_containing_symbol="tensorflow.serving.PredictRequest"
                )
            ]
        ),
        timeout=30,
    )
    assert answer.file_descriptor_response.file_descriptor_proto
    assert "inference.GRPCInferenceService" in names
    symbol = "inference.GRPCInferenceService"
    (answer,) = ask(iter([reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)]), timeout=30)
    assert answer.file_descriptor_response.file_descriptor_proto


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        (":predict", {"instances": [[1.0], [2.0], [5.0]]}, {"predictions": [[3.5], [4.0], [5.5]]}),
        (":predict", {"inputs": [[1.0]]}, {"outputs": [[3.5]]}),
        (
            ":predict",
            {"signature_name": "serving_default", "instances": [{"x": [1.0]}]},
            {"predictions": [[3.5]]},
        ),
        ("/versions/2:predict", {"instances": [[1.0]]}, {"predictions": [[3.5]]}),
        (
            ":regress",
            {"signature_name": "regress_x_to_y", "examples": [{"x": 1.0}, {"x": 2.0}]},
            {"results": [3.5, 4.0]},
        ),
        (
            ":regress",
            {"signature_name": "regress_x_to_y", "context": {"x": 1.0}, "examples": [{}]},
            {"results": [3.5]},
        ),
        (
            ":classify",
            {"signature_name": "classify_x_to_y", "examples": [{"x": [2.0]}]},
            {"results": [[["number", 4.0]]]},
        ),
    ],
)
def test_a_documented_request_is_answered(server: Process, path: str, body: object, answer: object) -> None:
    status, text = server.get(f"/v1/models/half_plus_two{path}", body)
    assert (status, json.loads(text)) == (200, answer)

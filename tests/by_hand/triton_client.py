"""The Open Inference Protocol, asked by NVIDIA's own client over both transports, against real TensorFlow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.processes import Process, serving

grpcclient = pytest.importorskip("tritonclient.grpc", reason="tritonclient is not installed")
httpclient = pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module", params=["http2", "grpcio"])
def server(models: Path, request: pytest.FixtureRequest) -> Iterator[Process]:
    flags = [f"--model_base_path={models / 'half_plus_two'}", "--model_name=half", "--drain_seconds=0"]
    with serving(*flags, f"--grpc_transport={request.param}") as process:
        yield process


@pytest.fixture(params=[grpcclient, httpclient], ids=["grpc", "rest"])
def client(server: Process, request: pytest.FixtureRequest) -> Iterator[Any]:
    port = server.grpc_port if request.param is grpcclient else server.rest_port
    with request.param.InferenceServerClient(f"127.0.0.1:{port}") as opened:
        opened.module = request.param
        yield opened


def infer(client: Any, *rows: float, **options: Any) -> Any:
    asked = client.module.InferInput("x", [len(rows), 1], "FP32")
    asked.set_data_from_numpy(np.array(rows, np.float32).reshape(-1, 1))
    return client.infer("half", [asked], **options)


def test_a_server_and_its_model_are_ready(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("half")
    assert not client.is_model_ready("nope")


def test_metadata_is_read(client: Any) -> None:
    options = {"as_json": True} if client.module is grpcclient else {}
    assert client.get_server_metadata(**options)["name"] == "tf-serving-platform"
    model = client.get_model_metadata("half", **options)
    assert (model["name"], model["platform"]) == ("half", "tensorflow_savedmodel")
    assert [(tensor["name"], tensor["datatype"]) for tensor in model["inputs"]] == [("x", "FP32")]


def test_a_question_is_answered(client: Any) -> None:
    answer = infer(client, 1, 2, request_id="q")
    assert answer.as_numpy("y").tolist() == [[3.5], [4.0]]


def test_outputs_are_chosen(client: Any) -> None:
    wanted = client.module.InferRequestedOutput("y")
    assert infer(client, 1, outputs=[wanted], model_version="2").as_numpy("y").tolist() == [[3.5]]


def test_json_is_asked_for_and_sent(server: Process) -> None:
    with httpclient.InferenceServerClient(f"127.0.0.1:{server.rest_port}") as client:
        asked = httpclient.InferInput("x", [1, 1], "FP32")
        asked.set_data_from_numpy(np.array([[1]], np.float32), binary_data=False)
        wanted = httpclient.InferRequestedOutput("y", binary_data=False)
        assert client.infer("half", [asked], outputs=[wanted]).as_numpy("y").tolist() == [[3.5]]


def test_an_error_is_told(client: Any) -> None:
    from tritonclient.utils import InferenceServerException

    asked = client.module.InferInput("z", [1, 1], "FP32")
    asked.set_data_from_numpy(np.array([[1]], np.float32))
    with pytest.raises(InferenceServerException, match="expected the inputs x, got"):
        client.infer("half", [asked])


def test_strings_pass_both_ways(models: Path) -> None:
    line = [f"--model_base_path={models / 'words'}", "--model_name=words", "--drain_seconds=0"]
    with serving(*line) as server:
        for module, port in ((grpcclient, server.grpc_port), (httpclient, server.rest_port)):
            with module.InferenceServerClient(f"127.0.0.1:{port}") as client:
                asked = module.InferInput("text", [2], "BYTES")
                asked.set_data_from_numpy(np.array([b"abc", b"\0\xff"], object))
                answer = client.infer("words", [asked])
                assert answer.as_numpy("upper").tolist() == [b"ABC", b"\0\xff"]
                assert answer.as_numpy("raw_bytes").tolist() == [b"abc", b"\0\xff"]
                assert answer.as_numpy("length").tolist() == [3, 2]

"""The whole server as a process, with real TensorFlow, asked by clients written elsewhere."""

import contextlib
import json
import shutil
import signal
import socket
import threading
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.protos import predict_pb2
from tests.serving.processes import Process, serving

pytestmark = pytest.mark.tensorflow


def flags(models: Path, name: str, *more: str) -> list[str]:
    return [f"--model_name={name}", f"--model_base_path={models / name}", "--drain_seconds=0.2", *more]


def test_a_frozen_model_is_served_over_both_transports(models: Path) -> None:
    with serving(*flags(models, "half_plus_two")) as server:
        assert server.get("/v1/models/half_plus_two:predict", {"instances": [[1], [2]]}) == (
            200,
            b'{"predictions":[[3.5],[4.0]]}',  # version 2, the newest, adds 3
        )
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "half_plus_two"
        request.inputs["x"].dtype = 1
        request.inputs["x"].tensor_shape.dim.add(size=1)
        request.inputs["x"].tensor_shape.dim.add(size=1)
        request.inputs["x"].float_val.append(1)
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            ask = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
            response = predict_pb2.PredictResponse.FromString(ask(request.SerializeToString(), timeout=30))
            health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
        assert list(response.outputs["y"].float_val) == [3.5]
        assert response.model_spec.version.value == 2
        assert health.status == health_pb2.HealthCheckResponse.SERVING


def test_a_model_with_variables_is_served(models: Path) -> None:
    with serving(*flags(models, "dense")) as server:
        _, body = server.get("/v1/models/dense:predict", {"instances": [[1, 2, 3, 4]]})
    (row,) = json.loads(body)["predictions"]
    logits = np.array([1, 2, 3, 4]) @ np.arange(12).reshape(4, 3) / 10
    np.testing.assert_allclose(row["probabilities"], np.exp(logits) / np.exp(logits).sum(), rtol=1e-5)
    assert row["classes"] == 2


def test_strings_and_bytes_are_served(models: Path) -> None:
    with serving(*flags(models, "words")) as server:
        _, body = server.get("/v1/models/words:predict", {"instances": ["abc", {"b64": "/w=="}]})
    assert json.loads(body)["predictions"] == [
        {"upper": "ABC", "length": 3, "raw_bytes": {"b64": "YWJj"}},
        {"upper": {"b64": "/w=="}, "length": 1, "raw_bytes": {"b64": "/w=="}},
    ]


def test_sigterm_under_load_loses_no_request(models: Path) -> None:
    with serving(*flags(models, "half_plus_two", "--drain_seconds=0.5")) as server:
        wrong: list[object] = []
        answered = []

        def ask() -> None:
            while True:
                try:
                    answer = server.get("/v1/models/half_plus_two:predict", {"instances": [[1]]})
                except OSError:
                    return  # refused: nobody listens any more
                answered.append(answer)
                if answer != (200, b'{"predictions":[[3.5]]}'):
                    wrong.append(answer)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(answered) < 20:
            pass
        server.process.send_signal(signal.SIGTERM)
        while server.get("/readyz")[0] == 200:
            pass
        assert server.get("/livez")[0] == 200
        for thread in threads:
            thread.join()
        assert server.process.wait(30) == 0
        assert wrong == []


@pytest.mark.parametrize("transport", ["http2", "grpcio"])
def test_idle_connections_do_not_hold_up_the_end(models: Path, transport: str) -> None:
    line = flags(models, "half_plus_two", f"--grpc_transport={transport}", "--shutdown_grace_seconds=600")
    with serving(*line) as server, grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
        with socket.create_connection(("127.0.0.1", server.rest_port)):
            assert server.end() == 0


def test_a_second_signal_ends_the_drain(models: Path) -> None:
    with serving(*flags(models, "half_plus_two", "--drain_seconds=600")) as server:
        server.process.send_signal(signal.SIGTERM)
        while server.get("/readyz")[0] == 200:
            pass
        assert server.end(signal.SIGINT) == 0


def test_a_signal_while_loading_ends_it_cleanly(models: Path) -> None:
    server = Process(*flags(models, "half_plus_two"))
    while True:
        with contextlib.suppress(OSError):
            server.get("/livez")
            break
    assert server.end() == 0
    server.process.communicate()


def test_metrics_have_a_port_of_their_own_when_asked(models: Path) -> None:
    import urllib.request

    from tests.serving.processes import free_port

    port = free_port()
    with serving(*flags(models, "half_plus_two", f"--monitoring_port={port}")) as server:
        assert server.get("/metrics")[0] == 404
        assert server.get("/readyz")[0] == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as response:
            assert b"tfsp_ready 1.0" in response.read()


def test_a_unix_socket_serves_grpc(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "grpc.sock"
    socket_flags = ["--port=0", f"--grpc_socket_path={path}"]
    with (
        serving(*flags(models, "half_plus_two", *socket_flags)),
        grpc.insecure_channel(f"unix:{path}") as channel,
    ):
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
    assert health.status == health_pb2.HealthCheckResponse.SERVING


def test_no_python_tensorflow_is_loaded(models: Path) -> None:
    with serving(*flags(models, "half_plus_two")) as server:
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "libtensorflow_cc.so.2" in maps
    assert "_pywrap_tensorflow" not in maps


@pytest.mark.parametrize(
    ("line", "code", "complaint"),
    [
        pytest.param(
            ["--model_base_path=/nope"], 1, "expected a folder of model versions at /nope", id="no folder"
        ),
        pytest.param([], 1, "expected a model to serve, got none; set --model_base_path", id="no model"),
        pytest.param(["--prot=1"], 2, "unknown flag --prot; did you mean port?", id="typo"),
        pytest.param(["--access_file=/nope"], 1, "expected an access file at /nope", id="no access file"),
        pytest.param(
            ["--access_log=/nope/log"],
            1,
            "expected an access_log that can be written at /nope/log",
            id="no log",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_an_exit_code(line: list[str], code: int, complaint: str) -> None:
    server = Process(*line)
    _, log = server.process.communicate(timeout=60)
    assert server.process.returncode == code
    assert complaint in log
    assert "Traceback" not in log


def test_a_taken_port_is_one_sentence(models: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = Process(*flags(models, "half_plus_two", f"--rest_api_port={taken.getsockname()[1]}"))
        _, log = server.process.communicate(timeout=60)
    assert server.process.returncode == 1
    assert "address already in use" in log.lower()
    assert "Traceback" not in log


def test_a_model_that_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"nonsense")
    server = Process(f"--model_base_path={tmp_path}", "--max_num_load_retries=0")
    _, log = server.process.communicate(timeout=60)
    assert server.process.returncode == 1
    assert "expected a SavedModel that TensorFlow can load" in log
    assert "Traceback" not in log


def test_a_new_version_is_picked_up_while_requests_run(models: Path, tmp_path: Path) -> None:
    base_path = tmp_path / "half_plus_two"
    shutil.copytree(models / "half_plus_two" / "1", base_path / "1")
    line = ["--model_name=half_plus_two", f"--model_base_path={base_path}", "--drain_seconds=0"]
    with serving(*line, "--file_system_poll_wait_seconds=1") as server:
        answers = []
        copied = False
        while not answers or answers[-1] != b'{"predictions":[[3.5]]}':
            status, body = server.get("/v1/models/half_plus_two:predict", {"instances": [[1]]})
            answers.append(body)
            assert status == 200
            if not copied:
                shutil.copytree(models / "half_plus_two" / "2", base_path / "2")
                copied = True
        assert set(answers) == {b'{"predictions":[[2.5]]}', b'{"predictions":[[3.5]]}'}
        status = json.loads(server.get("/v1/models/half_plus_two")[1])["model_version_status"]
    assert [(version["version"], version["state"]) for version in status] == [
        ("2", "AVAILABLE"),
        ("1", "END"),
    ]


def test_several_models_are_served_from_a_configuration_file(models: Path, tmp_path: Path) -> None:
    config = tmp_path / "models.config"
    config.write_text(
        f"""
        model_config_list {{
          config {{ name: "words" base_path: "{models}/words" }}
          config {{
            name: "half" base_path: "{models}/half_plus_two"
            model_version_policy {{ all {{}} }}
            version_labels {{ key: "stable" value: 1 }}
          }}
        }}
        """
    )
    with serving(f"--model_config_file={config}", "--drain_seconds=0") as server:
        question = {"instances": [[1]]}
        assert server.get("/v1/models/words:predict", {"instances": ["a"]})[0] == 200
        assert server.get("/v1/models/half:predict", question)[1] == b'{"predictions":[[3.5]]}'
        assert server.get("/v1/models/half/labels/stable:predict", question)[1] == b'{"predictions":[[2.5]]}'
        assert server.get("/v1/models/half/versions/1:predict", question)[1] == b'{"predictions":[[2.5]]}'


def test_a_marked_input_is_preprocessed_once(models: Path) -> None:
    with serving(*flags(models, "decimal", "--input_cache_bytes=1000000")) as server:
        for instances in (["1.5", "2"], ["2", "3"]):
            status, body = server.get("/v1/models/decimal:predict", {"instances": instances})
            assert (status, json.loads(body)) == (
                200,
                {"predictions": [2 * float(text) for text in instances]},
            )
        metrics = server.get("/metrics")[1].decode()
        status, body = server.get("/v1/models/decimal:predict", {"instances": ["x"]})
    assert "tfsp_input_cache_hits 1.0" in metrics
    assert "tfsp_input_cache_misses 3.0" in metrics
    assert (status, json.loads(body)) == (
        400,
        {"error": "StringToNumberOp could not correctly convert string: x"},
    )

"""The pass-through as a process of its own, in front of a process that computes."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.serving.processes import Process, serving

pytestmark = pytest.mark.tensorflow

PREDICT = "/v1/models/half_plus_two:predict"
RIGHT = (200, b'{"predictions":[[3.5]]}')


@pytest.fixture
def front(models: Path) -> Iterator[Process]:
    line = ["--model_name=half_plus_two", "--drain_seconds=0.2"]
    with serving(*line, f"--model_base_path={models / 'half_plus_two'}") as behind:
        upstream = [
            f"--upstream_rest=127.0.0.1:{behind.rest_port}",
            f"--upstream_grpc=127.0.0.1:{behind.grpc_port}",
        ]
        with serving(*line, *upstream, "--max_request_bytes=10000") as process:
            yield process


def test_it_answers_without_tensorflow_in_its_memory(front: Process) -> None:
    assert front.get(PREDICT, {"instances": [[1]]}) == RIGHT
    maps = Path(f"/proc/{front.process.pid}/maps").read_text()
    assert "libtensorflow" not in maps


def test_what_is_too_large_never_reaches_the_upstream(front: Process) -> None:
    status, body = front.get(PREDICT, {"instances": [["x" * 10_000]]})
    assert status == 413
    assert b"expected a body of at most 10000 bytes" in body


def test_both_ends_agree_over_grpc(front: Process) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{front.grpc_port}") as channel:
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
    assert health.status == health_pb2.HealthCheckResponse.SERVING


def test_sigterm_under_load_loses_no_request(front: Process) -> None:
    answers: list[object] = []

    def ask() -> None:
        while True:
            try:
                answers.append(front.get(PREDICT, {"instances": [[1]]}))
            except OSError:
                return  # refused: nobody listens any more

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(answers) < 20:
        pass
    front.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert front.process.wait(30) == 0
    assert [answer for answer in answers if answer != RIGHT] == []

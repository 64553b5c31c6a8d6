"""The autoscaler follows real load, and the program does not fight it."""

import http.client
import json
import threading
import time
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from tests.e2e.commands import kubectl
from tests.e2e.settings import up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]

LOAD_SECONDS = 300
PAUSE_SECONDS = 0.02


def test_pods_follow_the_load_and_an_update_leaves_their_number_alone(
    outputs: dict[str, Any], images_and_labels: Any
) -> None:
    body = json.dumps({"instances": images_and_labels[0][:200].tolist()}).encode()
    assert replicas(outputs) == 1
    with Load(outputs["rest_url"], body):
        grown = wait_for(
            lambda: replicas(outputs) >= 2 and replicas(outputs), within_seconds=LOAD_SECONDS - 60
        )
        up("local")
        assert replicas(outputs) >= grown
    wait_for(lambda: replicas(outputs) == 1, within_seconds=360)


def replicas(outputs: dict[str, Any]) -> int:
    deployment = kubectl("get", "deployment", outputs["service"], namespace=outputs["namespace"])
    return int(deployment["spec"]["replicas"])


def wait_for(question: Any, *, within_seconds: float) -> Any:
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(3)
    pytest.fail(f"not within {within_seconds} s")


class Load:
    """Four clients on 127.0.0.1 that ask for 200 images at a time, bounded by LOAD_SECONDS."""

    def __init__(self, url: str, body: bytes) -> None:
        self.address, self.body = urlsplit(url).netloc, body
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def _ask(self) -> None:
        deadline = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < deadline and not self.stopped.is_set():
            # A connection per request, so that new pods get their share at once.
            connection = http.client.HTTPConnection(self.address, timeout=30)
            try:
                connection.request("POST", "/v1/models/mnist:predict", self.body)
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                pass  # what counts here is load; lost answers are counted by the roll-out test
            finally:
                connection.close()
            self.stopped.wait(PAUSE_SECONDS)

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()

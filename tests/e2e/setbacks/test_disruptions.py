"""A pod that is evicted or killed: with a second one there, no client notices (F13, F40)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.commands import kubectl, run
from tests.e2e.questions import Questions
from tests.e2e.setbacks.conftest import NAMESPACE, pods, served_by
from tests.e2e.settings import changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

KILL_THE_SERVER = r"""
import os, pathlib, signal
for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    if entry.read_bytes().split(b"\0")[1:3] == [b"-m", b"serving"]:
        os.kill(int(entry.parent.name), signal.SIGKILL)
"""


@pytest.fixture
def two_pods(stack: str) -> Iterator[str]:
    def ask_for_two(sections: dict[str, Any]) -> None:
        sections["server"]["replicas"] = 2

    with changed(ask_for_two, stack):
        up(stack)
    assert served_by() == 2
    yield f"http://{kubectl('get', 'service', 'mnist', namespace=NAMESPACE)['spec']['clusterIP']}:8501"
    up(stack)


def test_an_evicted_pod_is_replaced_without_a_failed_request(
    two_pods: str, images_and_labels: Any, tmp_path: Any
) -> None:
    gone = pods()[0]["metadata"]["name"]
    eviction = tmp_path / "eviction.json"
    eviction.write_text(
        json.dumps(
            {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": gone, "namespace": NAMESPACE},
            }
        )
    )
    with questions(two_pods, images_and_labels) as asked:
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{gone}/eviction"
        run("bin/cluster", "kubectl", "create", "--raw", path, "--filename", str(eviction))
        run("bin/cluster", "kubectl", "wait", "--for=delete", f"pod/{gone}", f"--namespace={NAMESPACE}")
        assert served_by() == 2
    assert asked.answered > 50
    assert asked.failures == []


def test_a_killed_server_is_started_again_in_its_pod(two_pods: str) -> None:
    assert two_pods
    killed = pods()[0]["metadata"]["name"]
    run(
        "bin/cluster",
        "kubectl",
        "exec",
        killed,
        f"--namespace={NAMESPACE}",
        "--",
        "python3",
        "-c",
        KILL_THE_SERVER,
        check=False,  # the container ends under the command
    )
    condition = "--for=jsonpath={.status.containerStatuses[0].restartCount}=1"
    run("bin/cluster", "kubectl", "wait", condition, f"pod/{killed}", f"--namespace={NAMESPACE}")
    ready = "--for=condition=Ready"
    run("bin/cluster", "kubectl", "wait", ready, f"pod/{killed}", f"--namespace={NAMESPACE}")
    assert {pod["metadata"]["name"] for pod in pods()} >= {killed}


def questions(url: str, images_and_labels: Any) -> Questions:
    body = json.dumps({"instances": images_and_labels[0][:1].tolist()}).encode()
    return Questions(f"{url}/v1/models/mnist:predict", body)

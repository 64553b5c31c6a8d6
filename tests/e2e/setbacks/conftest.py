"""A stack of its own, up and answering, for all that is done to it here."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.commands import kubectl, run
from tests.e2e.questions import Questions
from tests.e2e.settings import another_stack, up

STACK = "setbacks"
NAMESPACE = f"tf-serving-{STACK}"
READY_WITHIN_SECONDS = 120


def short_waits(sections: dict[str, Any]) -> None:
    """Let a pod that will never be ready be given up soon, and leave number of pods and address of the API server to the tests."""
    sections["cluster"]["identifier"] = STACK
    sections["model"]["loadSeconds"] = 30
    sections["rollout"] = {"pullSeconds": 15, "readySeconds": 2}
    sections["autoscaling"] = {"enabled": False}
    sections["server"] = {"replicas": 1, "requestTimeoutSeconds": 5}


@pytest.fixture(scope="package")
def stack(outputs: dict[str, Any]) -> Iterator[str]:
    assert outputs
    with another_stack(STACK, short_waits) as name:
        up(name)
        yield name


@pytest.fixture
def healthy(stack: str) -> Iterator[str]:
    """Yield the stack, and see after the test that one plain command makes it whole again."""
    yield stack
    up(stack)
    assert served_by() == 1


@pytest.fixture(scope="module")
def stack_to_mend(stack: str) -> Iterator[str]:
    """Each test leaves the stack whole, with settings of its own; here the first ones come back."""
    yield stack
    up(stack)
    assert served_by() == 1


@pytest.fixture
def client(stack: str, images_and_labels: Any) -> Questions:
    """Return a client that has not begun to ask."""
    assert stack
    address = kubectl("get", "service", "mnist", namespace=NAMESPACE)["spec"]["clusterIP"]
    body = json.dumps({"instances": images_and_labels[0][:1].tolist()}).encode()
    return Questions(f"http://{address}:8501/v1/models/mnist:predict", body)


def served_by() -> int:
    """Return how many pods are ready, once the roll-out has ended."""
    run(
        "bin/cluster",
        "kubectl",
        "rollout",
        "status",
        "deployment/mnist",
        f"--namespace={NAMESPACE}",
        f"--timeout={READY_WITHIN_SECONDS}s",
    )
    return int(deployment()["status"].get("readyReplicas", 0))


def deployment() -> Any:
    return kubectl("get", "deployment", "mnist", namespace=NAMESPACE)


def pods() -> list[Any]:
    """Return the pods that are not on their way out."""
    found = kubectl("get", "pods", "--selector=app.kubernetes.io/name", namespace=NAMESPACE)["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

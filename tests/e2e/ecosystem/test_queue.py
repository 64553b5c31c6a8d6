"""A training run with a queue, on an API server that knows Kueue's definitions; Kueue itself is run by hand (docs/ecosystem.md)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.commands import kubectl
from tests.e2e.ecosystem.declared import declared, live, lost, strictly_applied
from tests.e2e.projects import ProjectStack, project_stack

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

NAMESPACE: Final = "training-queue"
QUEUE: Final = "gpus"
QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"


@pytest.fixture(scope="module")
def waiting(definitions: None) -> Iterator[ProjectStack]:
    """Yield a training stack whose pod finds no node: the one there is serves."""
    training = {
        "model": "mnist",
        "version": 7,
        "image": f"127.0.0.1:5000/nobody/train@sha256:{'0' * 64}",
        "queue": QUEUE,
    }
    repository = {"bucket": "s3://models/team", "credentialsSecret": "s3"}
    with project_stack(
        "examples/training", "queue", namespace=NAMESPACE, training=training, repository=repository
    ) as stack:
        stack.up()
        yield stack


def test_a_run_names_a_queue_that_kueue_could_have(waiting: ProjectStack, tmp_path: Path) -> None:
    job = kubectl("get", "job", "mnist-training-7", namespace=NAMESPACE)
    queue = {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "LocalQueue",
        "metadata": {"name": job["metadata"]["labels"][QUEUE_LABEL], "namespace": NAMESPACE},
        "spec": {"clusterQueue": "training"},
    }
    judged = strictly_applied([queue], tmp_path)
    assert judged.returncode == 0, judged.stderr


def test_the_api_server_takes_every_object_of_a_training_stack(waiting: ProjectStack, tmp_path: Path) -> None:
    objects = declared(waiting.pulumi("stack", "export").stdout)
    judged = strictly_applied(list(objects.values()), tmp_path)
    assert judged.returncode == 0, judged.stderr
    assert [f"{name}{each}" for name in objects for each in lost(objects[name], live(objects[name]))] == []


def test_a_second_update_leaves_the_run_alone_also_after_a_refresh(waiting: ProjectStack) -> None:
    before = kubectl("get", "job", "mnist-training-7", namespace=NAMESPACE)["metadata"]["uid"]
    waiting.pulumi("preview", "--expect-no-changes")
    # To a refresh a Job that has not ended is an unhealthy one, and the update sends it once more, unchanged.
    waiting.pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert kubectl("get", "job", "mnist-training-7", namespace=NAMESPACE)["metadata"]["uid"] == before

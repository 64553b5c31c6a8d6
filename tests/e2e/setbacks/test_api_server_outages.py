"""The API server is killed at four moments of an update and two of a destroy: what is said, and that the next one ends it (F19).

Pods need no API server to answer: a client asks while it is away. `bin/cluster up` brings it back, and starts the kubelet anew with it.
"""

import os
import signal
import time
from typing import Any

import pytest

from tests.e2e.commands import run
from tests.e2e.questions import Questions
from tests.e2e.setbacks.conftest import NAMESPACE, deployment, pods, served_by
from tests.e2e.setbacks.faults import up_and_kill
from tests.e2e.setbacks.interruptions import (
    api_server,
    other_timeout,
    pulumi_command,
    request_timeout_seconds,
    wait_for,
)
from tests.e2e.settings import changed, up
from toolchain.cluster.layout import NODE_ADDRESS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

API_SERVER = f"https://{NODE_ADDRESS}:6443"
"""What every message names, whether the connection was refused or reset."""


def outage_before_it_begins(stack: str) -> tuple[bool, str]:
    os.kill(api_server(), signal.SIGKILL)
    said = up(stack, check=False)
    return said.returncode == 0, said.stdout + said.stderr


def outage_before_the_pods_are_exchanged(stack: str) -> tuple[bool, str]:
    return up_and_kill(api_server(), stack, before="update", kind="Deployment")


def outage_after_the_pods_were_exchanged(stack: str) -> tuple[bool, str]:
    return up_and_kill(api_server(), stack, before="create", kind="HorizontalPodAutoscaler")


@pytest.mark.parametrize(
    ("outage", "sentence", "timeout_seconds"),
    [
        (outage_before_it_begins, "configured Kubernetes cluster is unreachable", 6),
        (outage_before_the_pods_are_exchanged, API_SERVER, 7),
        (outage_after_the_pods_were_exchanged, API_SERVER, 8),
    ],
    ids=["before", "before the pods", "after the pods"],
)
def test_an_update_without_an_api_server_says_so_and_the_next_one_ends_it(
    stack_to_mend: str, client: Questions, outage: Any, sentence: str, timeout_seconds: int
) -> None:
    before = deployment()["metadata"]["uid"]
    with changed(with_an_autoscaler(timeout_seconds), stack_to_mend):
        try:
            with client as asked:
                succeeded, said = outage(stack_to_mend)
        finally:
            run("bin/cluster", "up")
        assert not succeeded
        assert sentence in said
        up(stack_to_mend)
        assert_whole(stack_to_mend, before, timeout_seconds)
    assert asked.answered > 0
    assert asked.failures == []


def test_an_update_that_waits_for_its_pods_ends_well_once_the_api_server_is_back(stack_to_mend: str) -> None:
    before, pid = deployment()["metadata"]["uid"], api_server()
    with changed(with_an_autoscaler(9), stack_to_mend):
        with pulumi_command("up", stack_to_mend) as update:
            wait_for("Waiting for app ReplicaSet", update)
            os.kill(pid, signal.SIGKILL)
            run("bin/cluster", "up")
            said, _ = update.communicate(timeout=300)
        if update.returncode != 0:  # its patience may end before that of a slow machine
            assert "timed out waiting to be Ready" in said
            up(stack_to_mend)
        assert_whole(stack_to_mend, before, 9)


def test_a_destroy_without_an_api_server_says_so_and_the_next_one_ends_it(stack_to_mend: str) -> None:
    before = deployment()["metadata"]["uid"]
    os.kill(api_server(), signal.SIGKILL)
    try:
        with pulumi_command("destroy", stack_to_mend) as destroy:
            said, _ = destroy.communicate(timeout=300)
    finally:
        run("bin/cluster", "up")
    assert destroy.returncode != 0
    assert "configured Kubernetes cluster is unreachable" in said
    assert deployment()["metadata"]["uid"] == before  # which the state must not have forgotten
    run("bin/pulumi", "destroy", "--yes", "--skip-preview", "--stack", stack_to_mend)
    assert_gone()
    up(stack_to_mend)
    assert served_by() == 1


def test_a_destroy_that_waits_for_its_pods_ends_well_once_the_api_server_is_back(stack_to_mend: str) -> None:
    pid = api_server()
    with pulumi_command("destroy", stack_to_mend) as destroy:
        wait_until_pods_end()
        os.kill(pid, signal.SIGKILL)
        run("bin/cluster", "up")
        said, _ = destroy.communicate(timeout=300)
    if destroy.returncode != 0:  # what it asked for in that moment was refused
        assert API_SERVER in said
        run("bin/pulumi", "destroy", "--yes", "--skip-preview", "--stack", stack_to_mend)
    assert_gone()
    up(stack_to_mend)
    assert served_by() == 1


def assert_gone() -> None:
    left = run("bin/cluster", "kubectl", "get", "namespace", NAMESPACE, "--ignore-not-found").stdout
    assert left == ""


def wait_until_pods_end() -> None:
    """Return in the middle of a destroy: the pods are told to end, and take their grace period for it."""
    deadline = time.monotonic() + 300
    while pods():  # those that are not about to go
        assert time.monotonic() < deadline, "no pod was told to end within five minutes"
        time.sleep(0.1)


def assert_whole(stack: str, uid: str, timeout_seconds: int) -> None:
    assert served_by() == 1
    assert (deployment()["metadata"]["uid"], request_timeout_seconds()) == (uid, timeout_seconds)
    assert len(pods()) == 1
    run("bin/pulumi", "refresh", "--preview-only", "--expect-no-changes", "--stack", stack)


def with_an_autoscaler(timeout_seconds: int) -> Any:
    """Return a change that makes another pod and, from the third moment on, an autoscaler after it."""

    def change(sections: dict[str, Any]) -> None:
        other_timeout(timeout_seconds)(sections)
        if timeout_seconds > 7:
            sections["autoscaling"] = {"minReplicas": 1, "maxReplicas": 1}

    return change

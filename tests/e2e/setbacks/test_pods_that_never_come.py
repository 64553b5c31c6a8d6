"""A new pod that cannot start: the update says why, and the pod before it goes on answering (F3, F10, F21)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.commands import run
from tests.e2e.setbacks.conftest import NAMESPACE, deployment, served_by
from tests.e2e.setbacks.faults import Spoil, failed_up
from tests.e2e.settings import up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

GONE = "127.0.0.1:5000/tf-serving-platform/models/mnist@sha256:" + "0" * 64


def take_an_image_that_is_gone(pod: dict[str, Any]) -> None:
    pod["containers"][0]["image"] = GONE


def look_for_the_model_elsewhere(pod: dict[str, Any]) -> None:
    kept = [each for each in pod["containers"][0]["env"] if each["name"] != "TFSP_MODEL_BASE_PATH"]
    pod["containers"][0]["env"] = [*kept, {"name": "TFSP_MODEL_BASE_PATH", "value": "/models/nowhere"}]


def run_as_root(pod: dict[str, Any]) -> None:
    pod["securityContext"] = {**pod["securityContext"], "runAsNonRoot": False, "runAsUser": 0}


def ask_for_more(pod: dict[str, Any]) -> None:
    pod["terminationGracePeriodSeconds"] += 1


@pytest.mark.parametrize(
    ("spoil", "sentences"),
    [
        (take_an_image_that_is_gone, ["mnist", GONE, "not found"]),
        (look_for_the_model_elsewhere, ["mnist", "/models/nowhere"]),
        (run_as_root, ["no pod of mnist-", 'violates PodSecurity "restricted:', "runAsNonRoot != true"]),
    ],
    ids=["image gone", "model missing", "admission refused"],
)
def test_the_update_says_why_and_the_old_pod_stays(healthy: str, spoil: Spoil, sentences: list[str]) -> None:
    said = failed_up(healthy, spoil)
    assert [each for each in sentences if each not in said] == [], said
    assert deployment()["status"]["readyReplicas"] == 1


def test_a_quota_that_leaves_no_room_is_named_with_its_figures(healthy: str) -> None:
    with quota("pods=1"):
        said = failed_up(healthy, ask_for_more)
        assert "exceeded quota: full, requested: pods=1, used: pods=1, limited: pods=1" in said
        assert deployment()["status"]["readyReplicas"] == 1


def test_the_way_back_is_one_command_and_builds_nothing(stack: str) -> None:
    before = deployment()["spec"]["template"]
    failed_up(stack, take_an_image_that_is_gone)
    said = up(stack).stdout
    assert "docker-build" not in said
    assert served_by() == 1
    assert deployment()["spec"]["template"] == before


@contextmanager
def quota(hard: str) -> Iterator[None]:
    there = ("--namespace", NAMESPACE)
    run("bin/cluster", "kubectl", "create", "quota", "full", f"--hard={hard}", *there)
    try:
        yield
    finally:
        run("bin/cluster", "kubectl", "delete", "quota", "full", *there)

"""Drain and deadlines: the sums that a rollout rests on."""

import pytest

from components import health
from tests.components.test_platform import deploy


def lifecycle(**changes: int | bool) -> health.Lifecycle:
    times = {
        "load_seconds": 20,
        "request_timeout_seconds": 30,
        "pull_seconds": 60,
        "ready_seconds": 5,
        "waits_for_old_pod": False,
    }
    return health.Lifecycle(**{**times, **changes})


def test_a_pod_is_killed_only_after_sleep_drain_and_its_longest_request():
    for timeout_seconds in (1, 30, 3_600):
        grace = lifecycle(request_timeout_seconds=timeout_seconds).termination_grace_seconds
        assert grace > health.ENDPOINT_REMOVAL_SECONDS + health.DRAIN_SECONDS + timeout_seconds


def test_the_deadline_covers_one_whole_step_of_a_rollout():
    times = lifecycle()
    assert times.progress_deadline_seconds > times.pull_seconds + times.load_seconds + times.ready_seconds


def test_without_a_spare_gpu_the_deadline_covers_the_end_of_the_old_pod():
    times = lifecycle(waits_for_old_pod=True)
    step = times.pull_seconds + times.load_seconds + times.ready_seconds
    assert times.progress_deadline_seconds > step + times.termination_grace_seconds


def test_pulumi_waits_longer_than_kubernetes_so_that_its_reason_is_there():
    assert lifecycle().await_seconds(1) > lifecycle().progress_deadline_seconds


def test_a_longer_rollout_is_awaited_longer():
    waits = [lifecycle().await_seconds(replicas) for replicas in (1, 2, 6)]
    assert waits == sorted(waits)
    assert waits[2] - waits[1] == 4 * (waits[1] - waits[0])


@pytest.mark.parametrize("load_seconds", [1, 20, 3_600])
def test_the_startup_probe_gives_the_model_its_budget(load_seconds: int):
    spec = deploy(model={"loadSeconds": load_seconds}).one("Deployment").inputs["spec"]
    probe = spec["template"]["spec"]["containers"][0]["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] >= load_seconds


def test_the_servers_own_drain_fits_into_the_grace_period():
    pod = deploy(server={"requestTimeoutSeconds": 90}).one("Deployment").inputs["spec"]["template"]["spec"]
    environment = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    sleep_seconds = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = (
        sleep_seconds
        + float(environment["TFSP_DRAIN_SECONDS"])
        + float(environment["TFSP_SHUTDOWN_GRACE_SECONDS"])
    )
    assert pod["terminationGracePeriodSeconds"] > needed

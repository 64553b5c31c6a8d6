"""An update that is cut off at any moment, and two at once: the next one ends what was begun (F24-F26)."""

import signal
from collections.abc import Iterator

import pytest

from tests.e2e.commands import run
from tests.e2e.setbacks.conftest import deployment, pods, served_by
from tests.e2e.setbacks.interruptions import (
    kill_session,
    other_timeout,
    pulumi_command,
    request_timeout_seconds,
    wait_for,
)
from tests.e2e.settings import changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

MOMENTS = {
    "at the start": "Updating (",
    "before the pods": "tfserving:model_endpoint:ModelEndpoint serving-mnist",
    "while pods are exchanged": "Deployment serving-mnist-server-deployment updating",
    "waiting for the new pod": "Waiting for app ReplicaSet",
}


@pytest.fixture
def whole(stack: str) -> Iterator[str]:
    yield stack
    run("bin/pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", stack)
    assert served_by() == 1


@pytest.mark.parametrize("line", MOMENTS.values(), ids=MOMENTS.keys())
def test_a_killed_update_is_ended_by_the_next_one(whole: str, line: str) -> None:
    before = deployment()["metadata"]["uid"]
    with changed(other_timeout(6), whole):
        with pulumi_command("up", whole) as update:
            wait_for(line, update)
            kill_session(update.pid)
        locked = up(whole, check=False)
        assert "currently locked" in locked.stdout + locked.stderr
        run("bin/pulumi", "cancel", "--yes", whole)
        run("bin/pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", whole)
        assert request_timeout_seconds() == 6
    assert deployment()["metadata"]["uid"] == before
    assert served_by() == 1
    assert len(pods()) == 1


def test_an_update_that_is_interrupted_leaves_no_lock_and_is_ended_by_the_next_one(whole: str) -> None:
    before = deployment()["metadata"]["uid"]
    with changed(other_timeout(6), whole):
        with pulumi_command("up", whole) as update:
            wait_for("Waiting for app ReplicaSet", update)
            update.send_signal(signal.SIGINT)  # what Ctrl-C sends
            said, _ = update.communicate(timeout=120)
        assert update.returncode != 0, said
        up(whole)
        assert request_timeout_seconds() == 6
    assert deployment()["metadata"]["uid"] == before
    assert served_by() == 1
    assert len(pods()) == 1


def test_of_two_updates_at_once_at_least_one_is_refused_and_the_state_is_whole(whole: str) -> None:
    with (
        changed(other_timeout(6), whole),
        pulumi_command("up", whole) as first,
        pulumi_command("up", whole) as second,
    ):
        answers = {each.communicate(timeout=300)[0]: each.returncode for each in (first, second)}
    refused = [said for said, code in answers.items() if code != 0]
    assert refused
    assert all("currently locked" in said for said in refused), refused
    run("bin/pulumi", "stack", "export", "--stack", whole)

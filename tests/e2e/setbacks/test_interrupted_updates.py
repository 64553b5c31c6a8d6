"""An update that is cut off, at any moment and by anything: the next one ends what it began (F19, F24-F26)."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import ROOT, kubectl, run
from tests.e2e.setbacks.conftest import NAMESPACE, deployment, pods, served_by
from tests.e2e.settings import changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

MOMENTS = {
    "at the start": "Updating (",
    "before the pods": "tfserving:model_endpoint:ModelEndpoint serving-mnist",
    "while pods are exchanged": "Deployment serving-mnist-server-deployment updating",
    "waiting for the new pod": "Waiting for app ReplicaSet",
}

GIVEN_UP_AFTER_SECONDS = 30
"""Some updates end with an error, some wait for the API server; after this long it comes back."""


def other_timeout(sections: dict[str, Any]) -> None:
    sections["server"]["requestTimeoutSeconds"] = 6  # another environment and grace period: another pod


@pytest.fixture
def whole(stack: str) -> Iterator[str]:
    yield stack
    run("bin/pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", stack)
    assert served_by() == 1


@pytest.mark.parametrize("line", MOMENTS.values(), ids=MOMENTS.keys())
def test_a_killed_update_is_ended_by_the_next_one(whole: str, line: str) -> None:
    before = deployment()["metadata"]["uid"]
    with changed(other_timeout, whole):
        with updating(whole) as update:
            wait_for(line, update)
            kill_session(update.pid)
        locked = up(whole, check=False)
        assert "currently locked" in locked.stdout + locked.stderr
        run("bin/pulumi", "cancel", "--yes", whole)
        run("bin/pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", whole)
        assert grace_seconds() == 5 + 3 + 6 + 5
    assert deployment()["metadata"]["uid"] == before
    assert served_by() == 1
    assert len(pods()) == 1


@pytest.mark.parametrize("line", [None, MOMENTS["at the start"]], ids=["before", "at the start"])
def test_an_update_without_an_api_server_says_so_and_the_next_one_converges(
    whole: str, line: str | None
) -> None:
    before = deployment()["metadata"]["uid"]
    with changed(other_timeout, whole):
        said, code = updated_without_an_api_server(whole, line)
        if code != 0:
            assert "connection refused" in said or "unreachable" in said, said
        run("bin/pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", whole)
        assert grace_seconds() == 5 + 3 + 6 + 5
    assert deployment()["metadata"]["uid"] == before
    assert len(kubectl("get", "deployments", namespace=NAMESPACE)["items"]) == 1


def test_of_two_updates_at_once_at_least_one_is_refused_and_the_state_is_whole(whole: str) -> None:
    with changed(other_timeout, whole), updating(whole) as first, updating(whole) as second:
        answers = {each.communicate(timeout=300)[0]: each.returncode for each in (first, second)}
    refused = [said for said, code in answers.items() if code != 0]
    assert refused
    assert all("currently locked" in said for said in refused), refused
    run("bin/pulumi", "stack", "export", "--stack", whole)


def updated_without_an_api_server(stack: str, line: str | None) -> tuple[str, int]:
    """Update while the API server is away from `line` on; one that waits for its return gets it. Return what was said, and the exit code."""
    if line is None:
        kill_the_api_server()
    try:
        with updating(stack) as update:
            if line is not None:
                wait_for(line, update)
                kill_the_api_server()
            try:
                said, _ = update.communicate(timeout=GIVEN_UP_AFTER_SECONDS)
            except subprocess.TimeoutExpired:
                run("bin/cluster", "up")
                said, _ = update.communicate(timeout=300)
            return said, update.returncode
    finally:
        run("bin/cluster", "up")


@contextmanager
def updating(stack: str) -> Iterator[subprocess.Popen[str]]:
    """Start an update in a process group of its own, and leave none of it behind."""
    process = subprocess.Popen(
        [ROOT / "bin/pulumi", "up", "--yes", "--skip-preview", "--color=never", "--stack", stack],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_session(process.pid)
        process.wait()
        assert process.stdout
        process.stdout.close()


def kill_session(leader: int) -> None:
    """Kill all that a session leader started: Pulumi gives each plugin a process group of its own."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            session = int(stat.read_text().rpartition(")")[2].split()[3])  # proc(5): the sixth field
            if session == leader:
                os.kill(int(stat.parent.name), signal.SIGKILL)


def wait_for(line: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout
    seen = []
    for each in process.stdout:
        seen.append(each)
        if line in each:
            return
    pytest.fail(f"the update ended without saying {line!r}:\n{''.join(seen)}")


def kill_the_api_server() -> None:
    status = json.loads(run("bin/cluster", "status", "--json").stdout.splitlines()[-1])
    os.kill(status["components"]["apiserver"]["pid"], signal.SIGKILL)


def grace_seconds() -> int:
    return int(deployment()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"])

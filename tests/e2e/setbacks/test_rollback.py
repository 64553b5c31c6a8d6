"""`bin/rollback`: one command brings the former version back, and builds nothing (F18)."""

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.docs.pages import CLUSTER, reading
from tests.e2e.commands import run
from tests.e2e.questions import Questions
from tests.e2e.setbacks.conftest import READY_WITHIN_SECONDS, deployment, served_by
from tests.e2e.settings import changed, stack_outputs, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

FORMER: Final = "1000"
NEWER: Final = "1200"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A checkpoint of the same model that was trained for longer: its version is its step."""
    folder = tmp_path / "mnist"
    run(sys.executable, "examples/mnist/train.py", f"--output-dir={folder}", f"--steps={NEWER}")
    return folder


def test_after_an_update_that_succeeded_the_former_version_answers_and_nothing_is_built(
    healthy: str, client: Questions, newer: Path
) -> None:
    before = deployment()["spec"]["template"]
    places = {"--stack prod": f"--stack {healthy}", "build/models/mnist/1200": str(newer)}
    runbook = reading("docs/operations.md#Back to what ran before", needs=(CLUSTER,), replace=places)
    with trained_in(newer, healthy), client as asked, runbook as page:
        up(healthy)
        wait_for_version(NEWER, client.url)
        page.next()
        wait_for_version(FORMER, client.url)
        assert deployment()["spec"]["template"] == before
        assert declared_images(healthy) == []
        assert stack_outputs(healthy)["models"]["mnist"]["previous"]["model_version"] == int(NEWER)
        run("bin/pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", healthy)
        page.next()
        wait_for_version(NEWER, client.url)
    assert asked.failures == []


@contextmanager
def trained_in(folder: Path, stack: str) -> Iterator[None]:
    """Name another checkpoint in the stack's file, which is put back at the end whatever a rollback has written into it."""

    def change(sections: dict[str, Any]) -> None:
        sections["model"] |= {"source": str(folder), "evaluate": str(folder / "heldout.npz")}

    with changed(change, stack):
        yield


def wait_for_version(version: str, url: str) -> None:
    """Wait for the roll-out, and until the version answers: a pod that drains may still be asked for a moment after it."""
    assert served_by() == 1
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while (answers := version_at(url)) != version:
        assert time.monotonic() < deadline, f"version {answers} answers, {version} does not"


def version_at(url: str) -> str:
    """Return the version that answers, asked on a new connection."""
    with urllib.request.urlopen(url.removesuffix(":predict"), timeout=10) as answer:
        (status,) = json.load(answer)["model_version_status"]
    return str(status["version"])


def declared_images(stack: str) -> list[str]:
    """Return what the stack's state has of images that are built."""
    state = json.loads(run("bin/pulumi", "stack", "export", "--stack", stack).stdout)
    types = [each["type"] for each in state["deployment"]["resources"]]
    return [each for each in types if each.startswith("docker-build:")]

"""A state that is gone: the next update says what it found, and touches nothing; a copy that the backend kept ends the matter (F28)."""

import shlex
from pathlib import Path

import pytest

from tests.docs.pages import CLUSTER, reading
from tests.e2e.commands import run
from tests.e2e.setbacks.conftest import deployment
from tests.e2e.settings import PROJECT, as_it_was, up
from tests.policy.project import environment

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


def test_a_lost_state_changes_nothing_and_a_copy_of_it_ends_the_matter(stack: str, tmp_path: Path) -> None:
    before = deployment()["metadata"]
    places = {
        "copy.json": shlex.quote(str(newest_copy(stack))),
        " prod": f" {stack}",
        "state.json": str(tmp_path / "state.json"),
    }
    page = reading("docs/operations.md#When the state is lost", needs=(CLUSTER,), replace=places)
    with as_it_was(stack), page as runbook:
        run("bin/pulumi", "stack", "rm", stack, "--yes", "--force", "--preserve-config")
        try:
            run("bin/pulumi", "stack", "init", stack, "--no-select")
            said = up(stack, check=False)
            assert said.returncode != 0
            assert "holds Deployment mnist of this very stack" in said.stdout + said.stderr
        finally:
            runbook.next()
    run("bin/pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack)
    after = deployment()["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])


def newest_copy(stack: str) -> Path:
    """Return what a backend of files kept of the stack after its last update."""
    backend = environment()["PULUMI_BACKEND_URL"].removeprefix("file://").partition("?")[0]
    copies = (Path(backend) / f".pulumi/backups/{PROJECT}/{stack}").glob("*.json")
    return max(copies, key=lambda path: path.stat().st_mtime_ns)

"""A state that is gone: the next update says what it found, and touches nothing; a copy of the state ends the matter (F28)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.commands import run
from tests.e2e.setbacks.conftest import deployment
from tests.e2e.settings import as_it_was, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.fixture
def stateless(stack: str, tmp_path: Path) -> Iterator[str]:
    """The stack without its state, which comes back from a copy."""
    copy = tmp_path / "state.json"
    run("bin/pulumi", "stack", "export", "--stack", stack, "--file", str(copy))
    with as_it_was(stack):
        run("bin/pulumi", "stack", "rm", stack, "--yes", "--force", "--preserve-config")
        run("bin/pulumi", "stack", "init", stack, "--no-select")
        yield stack
        run("bin/pulumi", "stack", "import", "--stack", stack, "--file", str(copy), "--force")
    run("bin/pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack)


def test_a_lost_state_changes_nothing_and_a_copy_of_it_ends_the_matter(stateless: str) -> None:
    before = deployment()["metadata"]
    said = up(stateless, check=False)
    assert said.returncode != 0
    assert "holds Deployment mnist of this very stack, which is not in its state" in said.stdout + said.stderr
    after = deployment()["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])

"""Taking a stack down leaves nothing of it in the cluster, and can be repeated (F42). Runs last here."""

import pytest

from tests.e2e.commands import run
from tests.e2e.setbacks.conftest import NAMESPACE

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


def test_a_second_destroy_has_nothing_to_do(stack: str) -> None:
    destroy = ("bin/pulumi", "destroy", "--yes", "--skip-preview", "--stack", stack)
    assert " deleted (" in run(*destroy).stdout
    left = run("bin/cluster", "kubectl", "get", "namespace", NAMESPACE, "--ignore-not-found").stdout
    assert left == ""
    assert " deleted (" not in run(*destroy).stdout

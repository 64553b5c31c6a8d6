"""From no cluster to a model that answers, and back to nothing: also where the state remembers a cluster that is gone."""

import json

import pytest

from tests.e2e.commands import run
from tests.e2e.teardown.test_recovery import traces

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3000)]


def test_up_works_on_a_new_cluster_and_down_leaves_nothing() -> None:
    run("bin/cluster", "down")
    said = json.loads(run("bin/up", "--json", timeout_seconds=2400).stdout.splitlines()[-1])
    assert 0 < said["error_rate"] <= 11
    run("bin/down", "--all")
    assert traces() == {}
    run("bin/down", "--all")

"""A custom resource whose definition the cluster lacks: named in the update, and the pods are left alone (F22)."""

from typing import Any

import pytest

from tests.e2e.setbacks.conftest import deployment
from tests.e2e.settings import changed, preview, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


def a_pod_monitor(sections: dict[str, Any]) -> None:
    sections["observability"] = {"podMonitor": True}


def test_a_definition_that_is_missing_is_named_and_the_pods_are_left_alone(healthy: str) -> None:
    before = deployment()["spec"]["template"]
    with changed(a_pod_monitor, healthy):
        looked, said = preview(healthy, check=False), up(healthy, check=False)
    assert looked.returncode == 0  # a preview asks no cluster for what it creates
    assert said.returncode != 0
    assert 'no matches for kind "PodMonitor"' in said.stdout + said.stderr
    assert deployment()["spec"]["template"] == before

"""A kubeconfig that is not there: a warning in preview, a sentence before an update, and its content is never shown."""

import pulumi
import pytest

from components.config import ClusterConfig
from components.errors import ConfigError
from components.platform import cluster_provider
from tests.components.declared import declare

MISSING = "cluster.kubeconfig must be the path of a file that is there, got '/nowhere/config'"


def test_an_update_without_its_kubeconfig_ends_before_anything_is_made():
    with pytest.raises(ConfigError, match=MISSING):
        declare(lambda: cluster_provider(ClusterConfig(kubeconfig="/nowhere/config")))


def test_a_kubeconfig_that_was_pasted_is_not_shown():
    with pytest.raises(ConfigError, match="got 'what is no path'") as refused:
        declare(lambda: cluster_provider(ClusterConfig(kubeconfig="token: a-planted-secret")))
    assert "planted" not in str(refused.value)


def test_a_preview_goes_without(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    program = declare(lambda: cluster_provider(ClusterConfig(kubeconfig="/nowhere/config")))
    assert program.one("kubernetes").inputs["kubeconfig"] == "/nowhere/config"


@pytest.mark.parametrize("kubeconfig", ["", __file__], ids=["none named", "a file"])
def test_what_is_there_is_used(kubeconfig: str):
    given = declare(lambda: cluster_provider(ClusterConfig(kubeconfig=kubeconfig))).one("kubernetes").inputs
    assert given.get("kubeconfig", "") == kubeconfig

"""Which cluster a stack is on, under the real CLI: with an identifier, another address of its API server replaces nothing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.policy import project
from tests.policy.project import Project

PROGRAM = """
from components.config import ClusterConfig
from components.platform import cluster_provider

cluster_provider(ClusterConfig(identifier="{identifier}"))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Project:
    made = project.make(tmp_path)
    for name in ("Pulumi.yaml", "__main__.py"):
        (tmp_path / name).unlink()
    (tmp_path / "Pulumi.yaml").write_text("name: another\nruntime: python\n")
    assert made.pulumi("stack", "init", "dev").returncode == 0
    return made


def at(address: str, checkout: Project) -> Project:
    """Return the project in a shell whose kubeconfig has this address of the API server."""
    kubeconfig = checkout.folder / f"{address}.json"
    cluster = {"name": "prod", "cluster": {"server": f"https://{address}:6443"}}
    context = {"name": "prod", "context": {"cluster": "prod", "user": "prod"}}
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [cluster],
                "contexts": [context],
                "current-context": "prod",
                "users": [{"name": "prod", "user": {}}],
            }
        )
    )
    return replace(checkout, environment={**checkout.environment, "KUBECONFIG": str(kubeconfig)})


@pytest.mark.parametrize(
    ("identifier", "planned"), [("", "replace"), ("prod-eu", "update")], ids=["by address", "by identifier"]
)
def test_another_address_is_another_cluster_unless_it_has_an_identifier(
    checkout: Project, identifier: str, planned: str
) -> None:
    (checkout.folder / "__main__.py").write_text(PROGRAM.format(identifier=identifier))
    made = at("192.0.2.1", checkout).pulumi("up", "--yes", "--skip-preview", "--stack", "dev")
    assert made.returncode == 0, made.stdout + made.stderr
    asked = at("192.0.2.2", checkout).pulumi("preview", "--stack", "dev", "--json")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    steps = {
        step["op"] for step in json.loads(asked.stdout)["steps"] if "providers:kubernetes" in step["urn"]
    }
    assert planned in steps


def test_an_identifier_that_is_given_later_replaces_nothing(checkout: Project) -> None:
    (checkout.folder / "__main__.py").write_text(PROGRAM.format(identifier=""))
    there = at("192.0.2.1", checkout)
    made = there.pulumi("up", "--yes", "--skip-preview", "--stack", "dev")
    assert made.returncode == 0, made.stdout + made.stderr
    (checkout.folder / "__main__.py").write_text(PROGRAM.format(identifier="prod-eu"))
    asked = there.pulumi("preview", "--stack", "dev", "--json")
    assert json.loads(asked.stdout)["changeSummary"] == {"same": 1, "update": 1}

"""Names of resources may change and objects stay: with the real CLI and a state, objects written to files in place of a cluster."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.policy import project
from tests.policy.project import Project

PROGRAM = """
import pulumi, pulumi_kubernetes
from components.autoscaling import Autoscaler, AutoscalerArgs
from components.exposure import Exposure, ExposureArgs
from components.model_server import ModelServer, ModelServerArgs
from components.pod import PodArgs
from serving.settings import ServingSettings

files = pulumi_kubernetes.Provider("files", render_yaml_to_directory="rendered")
options = pulumi.ResourceOptions(providers=[files], aliases={aliases})
digest = "sha256:" + "0" * 64
pod = PodArgs(
    instance="mnist", model="mnist", image="registry.example.com/mnist@" + digest, version={version}, model_digest=digest,
    settings=ServingSettings(model_name="mnist", model_base_path="/models/mnist", monitoring_port=8502),
)
server = ModelServer("{name}", ModelServerArgs(namespace="team", pod=pod, is_autoscaled=True), options)
Autoscaler(
    "{name}-autoscaler",
    AutoscalerArgs(namespace="team", instance="mnist", deployment_name="mnist"),
    pulumi.ResourceOptions(parent=server),
)
Exposure(
    "{name}-exposure",
    ExposureArgs(namespace="team", instance="mnist", model="mnist", service=server.service_name),
    pulumi.ResourceOptions(parent=server),
)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Project:
    made = project.make(tmp_path)
    # The provider refuses to write files while a kubeconfig is set, even by the environment, as it is beside a running cluster.
    environment = {name: value for name, value in made.environment.items() if name != "KUBECONFIG"}
    made = replace(made, environment=environment)
    for name in ("Pulumi.yaml", "__main__.py"):
        (tmp_path / name).unlink()
    (tmp_path / "Pulumi.yaml").write_text("name: another\nruntime: python\n")
    assert made.pulumi("stack", "init", "dev").returncode == 0
    return made


def write(checkout: Project, *, name: str = "before", version: int = 1, aliases: str = "[]") -> None:
    text = PROGRAM.format(name=name, version=version, aliases=aliases)
    (checkout.folder / "__main__.py").write_text(text)


def changes(checkout: Project) -> dict[str, int]:
    asked = checkout.pulumi("preview", "--stack", "dev", "--json")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    found: dict[str, int] = json.loads(asked.stdout)["changeSummary"]
    return found


def test_a_component_may_be_called_otherwise_and_a_version_is_an_update_in_place(checkout: Project):
    write(checkout)
    made = checkout.pulumi("up", "--yes", "--skip-preview", "--stack", "dev")
    assert made.returncode == 0, made.stdout + made.stderr
    everything = sum(changes(checkout).values())
    assert changes(checkout) == {"same": everything}

    write(checkout, name="after")
    renamed = changes(checkout)
    assert renamed["create"] == renamed["delete"] > 0

    write(checkout, name="after", aliases="[pulumi.Alias(name='before')]")
    assert changes(checkout) == {"same": everything}

    write(checkout, name="after", version=2, aliases="[pulumi.Alias(name='before')]")
    assert changes(checkout) == {"same": everything - 1, "update": 1}

"""A program in YAML, written from docs/package.md, really previewed: its objects, and the policy pack's word on them."""

import shutil
from pathlib import Path

import pytest

from tests.package.linked import link_package
from tests.policy import project
from tests.policy.project import ROOT, Project

EXAMPLE = ROOT / "examples" / "package" / "yaml"


@pytest.fixture
def example(tmp_path: Path) -> Project:
    settings = project.environment()
    if shutil.which("pulumi-language-yaml", path=settings["PATH"]) is None:
        pytest.skip("needs the language host for YAML: run bin/setup")
    folder = tmp_path / "examples" / "package" / "yaml"
    folder.mkdir(parents=True)
    shutil.copy(EXAMPLE / "Pulumi.yaml", folder)
    link_package(tmp_path / "package")
    state = tmp_path / "state"
    state.mkdir()
    made = Project(folder=folder, environment=settings | {"PULUMI_BACKEND_URL": f"file://{state}"})
    assert made.pulumi("stack", "init", "dev").returncode == 0
    return made


def test_the_yaml_example_is_previewed_and_keeps_every_rule(example: Project):
    asked = example.pulumi("preview", "--stack", "dev", "--policy-pack", str(ROOT / "policy"))
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "✅ tf-serving-platform@v1.0.0" in asked.stdout
    for kind in (
        "apps/v1:Deployment",
        "autoscaling/v2:HorizontalPodAutoscaler",
        "policy/v1:PodDisruptionBudget",
    ):
        assert f"kubernetes:{kind}" in asked.stdout


def test_a_mistake_in_yaml_is_said_in_the_configurations_words(example: Project):
    program = example.folder / "Pulumi.yaml"
    program.write_text(program.read_text().replace("count: 1, available: 4", "product: H100"))
    asked = example.pulumi("preview", "--stack", "dev")
    assert asked.returncode != 0
    assert "gpu.product is 'H100' but gpu.count is 0" in asked.stdout + asked.stderr
    for trace in ("Traceback", "Unexpected <class", '.py", line'):
        assert trace not in asked.stdout + asked.stderr

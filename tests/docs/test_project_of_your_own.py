"""The program of docs/components.md, word for word, in a project that is not this one: previewed by the real CLI."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks_of
from tests.policy.project import Project, environment

SOURCE = '"source": "checkpoints/resnet", "outputs": ["probabilities"]'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (program,) = [block.text for block in blocks_of("docs/components.md") if block.file == "__main__.py"]
    assert SOURCE in program
    ours = str(ROOT / "examples/mnist/published/1000")
    program = program.replace(SOURCE, f'"source": "{ours}"').replace('"name": "resnet"', '"name": "mnist"')
    (tmp_path / "__main__.py").write_text(program)
    (tmp_path / "Pulumi.yaml").write_text("name: vision\nruntime: python\n")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/tf-serving-platform").symlink_to(ROOT)
    (tmp_path / "state").mkdir()
    backend = {"PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}"}
    return Project(folder=tmp_path, environment=environment() | backend)


def test_it_is_previewed_and_builds_its_images_from_the_checkout(project: Project) -> None:
    assert project.pulumi("stack", "init", "prod").returncode == 0
    done = project.pulumi("preview", "--stack", "prod", "--json", "--show-secrets")
    assert done.returncode == 0, done.stderr + done.stdout
    kinds = set(re.findall(r'"type": "([^"]+)"', done.stdout))
    assert {
        "kubernetes:apps/v1:Deployment",
        "kubernetes:core/v1:Service",
        "docker-build:index:Image",
    } <= kinds
    assert '"location": "vendor/tf-serving-platform/images/Dockerfile"' in done.stdout

"""examples/training under the real CLI: previews without a cluster and a builder, the stack judged by the policy pack."""

from collections.abc import Iterable
from pathlib import Path

from tests.policy import project
from tests.policy.project import ROOT, Project

FILES = ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py")


def copied(program: str, tmp_path: Path, *, seen: Iterable[str]) -> Project:
    """Copy a program into a checkout of links to `seen`, with a state of its own."""
    folder = tmp_path / program
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text((ROOT / program / name).read_text())
    for name in seen:
        (tmp_path / name).symlink_to(ROOT / name)
    state = tmp_path / "state"
    state.mkdir()
    settings = project.environment() | {
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PYTHONPATH": str(ROOT),
        "KUBECONFIG": str(tmp_path / "none"),
    }
    example = Project(folder=folder, environment=settings)
    example.pulumi("stack", "init", "dev")
    return example


def test_the_training_example_is_previewed_and_keeps_every_rule(tmp_path: Path):
    example = copied("examples/training", tmp_path, seen=["components"])
    asked = example.pulumi("preview", "--stack", "dev", "--policy-pack", str(ROOT / "policy"))
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "✅ tf-serving-platform@v1.0.0" in asked.stdout
    assert "kubernetes:batch/v1:Job training-mnist-run create" in asked.stdout
    assert 'published_to: "/repository/mnist"' in asked.stdout


def test_the_image_of_the_training_example_is_previewed_with_the_dockerfile_checked(tmp_path: Path):
    needed = [
        "images",
        "requirements",
        "model_export",
        "trust",
        "examples/mnist",
        "examples/training/Dockerfile",
    ]
    example = copied("examples/training/image", tmp_path, seen=needed)
    asked = example.pulumi("preview", "--stack", "dev")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "docker-build:index:Image training create" in asked.stdout

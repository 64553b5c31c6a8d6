"""examples/training under the real CLI: a preview without a cluster, judged by the policy pack."""

from pathlib import Path

from tests.policy import project
from tests.policy.project import ROOT, Project


def test_the_training_example_is_previewed_and_keeps_every_rule(tmp_path: Path):
    folder = tmp_path / "examples" / "training"
    folder.mkdir(parents=True)
    (tmp_path / "components").symlink_to(ROOT / "components")
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py"):
        (folder / name).write_text((ROOT / "examples/training" / name).read_text())
    state = tmp_path / "state"
    state.mkdir()
    settings = project.environment() | {
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PYTHONPATH": str(ROOT),
        "KUBECONFIG": str(tmp_path / "none"),
    }
    example = Project(folder=folder, environment=settings)
    example.pulumi("stack", "init", "dev")
    asked = example.pulumi("preview", "--stack", "dev", "--policy-pack", str(ROOT / "policy"))
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "✅ tf-serving-platform@v1.0.0" in asked.stdout
    assert "kubernetes:batch/v1:Job training-mnist-run create" in asked.stdout
    assert 'published_to: "/repository/mnist"' in asked.stdout

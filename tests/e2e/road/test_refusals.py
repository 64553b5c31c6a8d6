"""What an operator gets wrong is one sentence, before or instead of anything half made."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import ROOT, kubectl
from tests.e2e.settings import Change, another_stack, changed, preview, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]


def setting(section: str, key: str, value: Any) -> Change:
    def change(sections: dict[str, Any]) -> None:
        sections.setdefault(section, {})[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (setting("server", "replica", 3), "server.replica"),
        (setting("resources", "memoryMib", "2Gi"), "resources.memoryMib"),
        (setting("autoscaling", "minReplicas", 9), "autoscaling.minReplicas"),
        (setting("gpu", "count", -1), "gpu.count"),
        (setting("model", "source", "build/nothing-there"), "build/nothing-there"),
        (setting("model", "outputs", ["no_such_node"]), "no_such_node"),
    ],
    ids=[
        "unknown key",
        "wrong unit",
        "contradiction",
        "out of range",
        "missing checkpoint",
        "unknown output",
    ],
)
def test_a_mistake_in_the_settings_is_one_sentence(
    outputs: dict[str, Any], change: Change, sentence: str
) -> None:
    assert outputs
    with changed(change):
        said = preview("local", check=False)
    text = said.stdout + said.stderr
    assert said.returncode != 0
    assert sentence in text
    assert "Traceback" not in text


def test_a_corrupt_checkpoint_is_one_sentence_and_leaves_no_version(
    outputs: dict[str, Any], tmp_path: Path
) -> None:
    assert outputs
    broken, repository = tmp_path / "mnist", tmp_path / "models"
    shutil.copytree(ROOT / "build/mnist", broken)
    data = next(broken.glob("model.ckpt-*.data-*"))
    data.write_bytes(data.read_bytes()[:100])

    def point_at(sections: dict[str, Any]) -> None:
        sections["model"] |= {"source": str(broken), "repository": str(repository)}

    with changed(point_at):
        said = preview("local", check=False)
    text = said.stdout + said.stderr
    assert said.returncode != 0
    assert str(broken) in text
    assert "Traceback" not in text
    assert not list(repository.glob("mnist/[0-9]*"))


def test_a_pod_that_asks_for_more_gpus_than_there_are_is_explained(outputs: dict[str, Any]) -> None:
    assert outputs

    def ask_for_too_many(sections: dict[str, Any]) -> None:
        sections["gpu"] = {"count": 16}
        sections["model"]["loadSeconds"] = 20
        sections["rollout"] = {"pullSeconds": 20}

    with another_stack("gpus", ask_for_too_many) as stack:
        said = up(stack, check=False)
        pods = kubectl("get", "pods", namespace="tf-serving-gpus")["items"]
    text = said.stdout + said.stderr
    assert said.returncode != 0
    assert [pod["status"]["phase"] for pod in pods] == ["Pending"]
    assert "Insufficient nvidia.com/gpu" in text

"""What `pulumi` promises between two runs: nothing to do, no drift, previews anywhere, roll-outs in place."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import kubectl, run
from tests.e2e.questions import Questions
from tests.e2e.settings import Change, changed, stack_outputs, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2400)]


def test_a_second_up_changes_nothing(outputs: dict[str, Any]) -> None:
    assert outputs
    run("bin/pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "local")


def test_refresh_finds_no_drift(outputs: dict[str, Any]) -> None:
    assert outputs
    run("bin/pulumi", "refresh", "--preview-only", "--expect-no-changes", "--stack", "local")


def test_a_production_preview_needs_neither_cluster_nor_registry(
    outputs: dict[str, Any], tmp_path: Path
) -> None:
    assert outputs
    dead = tmp_path / "kubeconfig"
    dead.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "dead", "cluster": {"server": "https://127.0.0.1:9"}}],
                "users": [{"name": "dead", "user": {"token": "none"}}],
                "contexts": [{"name": "dead", "context": {"cluster": "dead", "user": "dead"}}],
                "current-context": "dead",
            }
        )
    )
    preview = run("bin/pulumi", "preview", "--stack", "prod", "--json", KUBECONFIG=str(dead))
    planned = [step["newState"] for step in json.loads(preview.stdout)["steps"] if "newState" in step]
    types = {state["type"] for state in planned}
    deployment = next(state for state in planned if state["type"] == "kubernetes:apps/v1:Deployment")
    limits = deployment["inputs"]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert {"kubernetes:core/v1:Service", "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"} <= types
    assert limits["nvidia.com/gpu"] == "1"


def test_a_new_model_rolls_out_in_place_without_a_failed_request(
    outputs: dict[str, Any], images_and_labels: Any, tmp_path: Path
) -> None:
    before = deployment(outputs)
    body = json.dumps({"instances": images_and_labels[0][:1].tolist()}).encode()
    other = train_anew(tmp_path / "mnist", steps=1200)
    with Questions(f"{outputs['rest_url']}/v1/models/mnist:predict", body) as questions:
        with changed(trained_in(other)):
            up("local")
            rolled, served = deployment(outputs), stack_outputs("local")
        up("local")
    assert rolled["metadata"]["uid"] == before["metadata"]["uid"]
    assert served["model_digest"] != outputs["model_digest"]
    assert questions.answered > 100
    assert questions.failures == []


def deployment(outputs: dict[str, Any]) -> Any:
    return kubectl("get", "deployments", namespace=outputs["namespace"])["items"][0]


def trained_in(folder: Path) -> Change:
    def change(sections: dict[str, Any]) -> None:
        sections["model"] |= {"source": str(folder), "evaluate": str(folder / "heldout.npz")}

    return change


def train_anew(folder: Path, *, steps: int) -> Path:
    run(sys.executable, "examples/mnist/train.py", f"--output-dir={folder}", f"--steps={steps}")
    return folder

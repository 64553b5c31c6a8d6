"""examples/automation/deploy.py with the real CLI, as far as it goes without a cluster."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.policy import project
from tests.policy.project import ROOT, Project


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = project.make(tmp_path_factory.mktemp("checkout"))
    made.write_stack("prod")
    return made


def deploy(checkout: Project, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples/automation/deploy.py"), "--stack", "prod"]
    command += ["--project", str(checkout.folder), "--preview", *words]
    return subprocess.run(command, env=checkout.environment, capture_output=True, text=True)


def test_a_preview_says_in_one_object_what_would_change(checkout: Project):
    done = deploy(checkout)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["stack"] == "prod"
    assert set(result["changes"]) == {"create"}


def test_a_key_is_set_before(checkout: Project):
    assert deploy(checkout, "--set", "autoscaling.maxReplicas=4").returncode == 0
    settings = yaml.safe_load((checkout.folder / "Pulumi.prod.yaml").read_text())["config"]
    assert int(settings["tf-serving-platform:autoscaling"]["maxReplicas"]) == 4


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("server.serviceType=LoadBalancer", "services-inside"),
        ("autoscaling.minReplicas=9", "autoscaling.minReplicas must be at most"),
    ],
    ids=["policy", "configuration"],
)
def test_what_is_wrong_is_said_in_one_line(checkout: Project, assignment: str, words: str):
    before = (checkout.folder / "Pulumi.prod.yaml").read_text()
    done = deploy(checkout, "--set", assignment)
    (Path(checkout.folder) / "Pulumi.prod.yaml").write_text(before)
    assert done.returncode == 1
    assert words in done.stderr.splitlines()[-1]

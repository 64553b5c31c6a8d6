"""examples/docker on a real Docker host: up, nothing left to do, an answer over the published port, and gone again.

It runs where a Docker engine answers, `bin/setup --docker-host` was run, and TF_SERVING_PLATFORM_DOCKER_IMAGE names a model image of
examples/mnist that the engine has.
"""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.policy import project
from tests.policy.project import ROOT, Project

IMAGE_VARIABLE = "TF_SERVING_PLATFORM_DOCKER_IMAGE"


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Project]:
    image = os.environ.get(IMAGE_VARIABLE)
    if not image:
        pytest.skip(f"needs a Docker engine: set {IMAGE_VARIABLE} to a model image that it has")
    engine = subprocess.run(["docker", "version"], capture_output=True, text=True)
    if engine.returncode != 0:
        pytest.skip(f"needs a Docker engine: {engine.stderr.strip()}")
    folder = tmp_path / "examples" / "docker"
    folder.mkdir(parents=True)
    for name in ("Pulumi.yaml", "__main__.py"):
        (folder / name).write_text((ROOT / "examples/docker" / name).read_text())
    for package in ("components", "serving"):
        (tmp_path / package).symlink_to(ROOT / package)
    state = tmp_path / "state"
    state.mkdir()
    made = Project(
        folder=folder, environment=project.environment() | {"PULUMI_BACKEND_URL": f"file://{state}"}
    )
    made.pulumi("stack", "init", "dev")
    made.pulumi("config", "set", "image", image, "--stack", "dev")
    yield made
    gone = made.pulumi("destroy", "--yes", "--skip-preview", "--stack", "dev")
    assert gone.returncode == 0, gone.stdout + gone.stderr


def test_a_model_answers_on_a_docker_host_and_a_second_preview_changes_nothing(example: Project):
    done = example.pulumi("up", "--yes", "--skip-preview", "--stack", "dev")
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = json.loads(example.pulumi("stack", "output", "--json", "--stack", "dev").stdout)
    with urllib.request.urlopen(f"{outputs['rest_url']}/v1/models/mnist", timeout=5) as answer:
        assert json.load(answer)["model_version_status"][0]["state"] == "AVAILABLE"
    again = example.pulumi("preview", "--expect-no-changes", "--stack", "dev")
    assert again.returncode == 0, again.stdout + again.stderr

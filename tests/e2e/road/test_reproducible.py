"""What is built follows from the commit and the model: every layer made anew gives the digests that the pods run already."""

import re
from typing import Any

import pytest

from tests.e2e.commands import deployment_generations, run
from tests.e2e.settings import changed, stack_outputs, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]

IMAGES = {"serving-cpu-image", "serving-mnist-image-image"}


def take_no_layer_from_earlier_builds(sections: dict[str, Any]) -> None:
    sections["images"]["buildCache"] = False


def build_again_with_the_cache() -> None:
    """What the pods run may be older than the base images of today, which nobody told Pulumi of: a tag is no input that changes."""
    images = ["--replace", "**docker-build:index:Image**"]
    run("bin/pulumi", "up", "--yes", "--skip-preview", "--stack", "local", *images)


def test_building_every_layer_anew_changes_neither_a_digest_nor_a_pod(outputs: dict[str, Any]) -> None:
    build_again_with_the_cache()
    before = stack_outputs("local")
    running = deployment_generations(outputs["namespace"])
    with changed(take_no_layer_from_earlier_builds):
        told = up("local").stdout
        anew = stack_outputs("local")
    up("local")
    assert set(re.findall(r"docker-build:index:Image (\S+) updated \(", told)) == IMAGES, told
    assert anew["runtime_images"] == before["runtime_images"]
    assert anew["image"] == before["image"]
    assert deployment_generations(outputs["namespace"]) == running

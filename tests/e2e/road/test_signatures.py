"""Who vouches for what the pods run, on the real registry: signed after the push, asked for before a pod is touched."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import CLUSTER, reading
from tests.e2e.commands import deployment_generations
from tests.e2e.settings import Change, as_it_was, changed, stack_outputs, up
from tests.trust.folders import known_pem, private_pem, public_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]


def trusting(**images: object) -> Change:
    def change(sections: dict[str, Any]) -> None:
        sections["images"] |= images

    return change


def test_an_update_signs_what_it_built_and_says_where_it_came_from(
    outputs: dict[str, Any], tmp_path: Path
) -> None:
    key, public = tmp_path / "images.key", tmp_path / "images.pub"
    key.write_bytes(known_pem())
    public.write_text(public_of(known_pem()))
    running = deployment_generations(outputs["namespace"])
    places = {"--stack prod": "--stack local", "images.key": str(key), "images.pub": str(public)}
    with as_it_was("local"), reading("docs/trust.md", needs=(CLUSTER,), replace=places) as page:
        page.next()
        places["registry.example.com/team/models/mnist@sha256:..."] = stack_outputs("local")["image"]
        assert "signed by the key" in page.next()
        (statement,) = json.loads(page.next())
    up("local")
    made_of = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    digests = {each["name"]: each["digest"] for each in made_of}
    assert len(digests["source"]["gitCommit"]) == 40
    assert f"model mnist version {outputs['model_version']}" in digests
    assert deployment_generations(outputs["namespace"]) == running


def test_an_image_that_nobody_trusted_signed_stops_the_update_before_a_pod_is_touched(
    outputs: dict[str, Any],
) -> None:
    running = deployment_generations(outputs["namespace"])
    with changed(trusting(signatureKeys=[public_of(private_pem())])):
        refused = up("local", check=False)
    up("local")
    told = refused.stdout + refused.stderr
    assert refused.returncode != 0, told
    assert "an image is not vouched for: " in told
    assert "Traceback" not in told
    assert deployment_generations(outputs["namespace"]) == running

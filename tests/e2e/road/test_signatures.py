"""Who vouches for what the pods run, on the real registry: signed after the push, asked for before a pod is touched."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import deployment_generations, run
from tests.e2e.settings import Change, changed, stack_outputs, up
from tests.trust.folders import known_pem, private_pem, public_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200)]


def trusting(**images: object) -> Change:
    def change(sections: dict[str, Any]) -> None:
        sections["images"] |= images

    return change


def notary(verb: str, image: str, key: Path) -> str:
    return run(sys.executable, "-m", "notary", verb, image, "--key", str(key)).stdout


def test_an_update_signs_what_it_built_and_says_where_it_came_from(
    outputs: dict[str, Any], tmp_path: Path
) -> None:
    key, public = tmp_path / "images.key", tmp_path / "images.pub"
    key.write_bytes(known_pem())
    public.write_text(public_of(known_pem()))
    running = deployment_generations(outputs["namespace"])
    with changed(trusting(signingKey=str(key))):
        up("local")
        image = stack_outputs("local")["image"]
    up("local")
    assert "signed by the key" in notary("verify", image, public)
    (statement,) = json.loads(notary("provenance", image, public))
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

"""Where an image came from is told by those whom one trusts, about this image, or not at all."""

import base64
import json
from collections.abc import Callable

import jsonschema
import pytest

from notary import Build, Material, Office
from tests.notary.registries import Registry, digest_of
from tests.trust.folders import private_pem, public_of
from trust.errors import TrustError

OURS = private_pem()
OFFICE = Office.open(private_pem=OURS.decode())
BUILD = Build(
    builder="urn:tf-serving-platform:builder:ci",
    parameters={"dockerfile": "images/Dockerfile", "REQUIREMENTS": "serving"},
    materials=(
        Material(name="source", digest={"gitCommit": "ab" * 20}, annotations={"uncommitted": False}),
        Material(name="requirements/runtime.txt", digest={"sha256": "cd" * 32}),
    ),
    versions={"pulumi-docker-build": "0.0.22"},
)
# What slsa.dev/spec/v1.0/provenance asks of the fields that are used here.
SCHEMA = {
    "type": "object",
    "required": ["_type", "subject", "predicateType", "predicate"],
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "predicateType": {"const": "https://slsa.dev/provenance/v1"},
        "predicate": {
            "required": ["buildDefinition", "runDetails"],
            "properties": {
                "buildDefinition": {
                    "required": ["buildType", "externalParameters"],
                    "properties": {
                        "resolvedDependencies": {
                            "type": "array",
                            "items": {"required": ["digest"], "properties": {"digest": {"type": "object"}}},
                        }
                    },
                },
                "runDetails": {"required": ["builder"], "properties": {"builder": {"required": ["id"]}}},
            },
        },
    },
}


@pytest.fixture
def attested(image: str) -> str:
    OFFICE.attest(image, BUILD)
    return image


def test_the_statement_names_source_locks_and_builder_in_slsas_words(attested: str) -> None:
    (statement,) = OFFICE.provenance(attested)
    jsonschema.validate(statement, SCHEMA)
    definition = statement["predicate"]["buildDefinition"]
    assert {each["name"]: each["digest"] for each in definition["resolvedDependencies"]} == {
        "source": {"gitCommit": "ab" * 20},
        "requirements/runtime.txt": {"sha256": "cd" * 32},
    }
    assert statement["predicate"]["runDetails"]["builder"]["id"] == "urn:tf-serving-platform:builder:ci"
    assert statement["subject"][0]["digest"] == {"sha256": attested.partition("sha256:")[2]}


def test_another_commit_that_gives_the_same_image_adds_nothing(registry: Registry, attested: str) -> None:
    before = registry.writes
    OFFICE.attest(attested, Build(builder="urn:other", parameters={}, materials=()))
    assert registry.writes == before
    assert len(OFFICE.provenance(attested)) == 1


def test_each_signer_states_for_itself(attested: str) -> None:
    other = private_pem()
    Office.open(private_pem=other.decode()).attest(attested, BUILD)
    both = Office.open(trusted_pem=public_of(other) + public_of(OURS))
    assert len(both.provenance(attested)) == 2


def rewrite(registry: Registry, image: str, change: Callable[[dict], None]) -> None:
    """Change the envelope and its digest in the manifest: what a registry could do."""
    path, manifest_path = registry.blob_path(image, "att"), registry.path(image, "att")
    envelope = json.loads(registry.stored[path])
    change(envelope)
    content = json.dumps(envelope).encode()
    manifest = json.loads(registry.stored[manifest_path])
    manifest["layers"][0] |= {"digest": digest_of(content), "size": len(content)}
    registry.stored[f"{path.rpartition('/')[0]}/{digest_of(content)}"] = content
    registry.stored[manifest_path] = json.dumps(manifest).encode()


def other_commit(registry: Registry, image: str) -> None:
    def change(envelope: dict) -> None:
        payload = base64.b64decode(envelope["payload"]).replace(b"ab" * 20, b"ef" * 20)
        envelope["payload"] = base64.b64encode(payload).decode()

    rewrite(registry, image, change)


def of_another_image(registry: Registry, image: str) -> None:
    other = registry.push("team/models/mnist", b"another image")
    OFFICE.attest(other, BUILD)
    registry.stored[registry.path(image, "att")] = registry.stored[registry.path(other, "att")]


def by_a_stranger(registry: Registry, image: str) -> None:
    del registry.stored[registry.path(image, "att")]
    Office.open(private_pem=private_pem().decode()).attest(image, BUILD)


def nothing(registry: Registry, image: str) -> None:
    del registry.stored[registry.path(image, "att")]


def no_envelope(registry: Registry, image: str) -> None:
    rewrite(registry, image, lambda envelope: envelope.clear())


@pytest.mark.parametrize(
    "tamper",
    [other_commit, of_another_image, by_a_stranger, nothing, no_envelope],
    ids=lambda each: each.__name__,
)
def test_a_statement_that_nobody_trusted_made_about_this_image_is_none(
    registry: Registry, attested: str, tamper: Callable[[Registry, str], None]
) -> None:
    tamper(registry, attested)
    with pytest.raises(TrustError, match="expected a statement of"):
        OFFICE.provenance(attested)

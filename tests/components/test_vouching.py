"""Images are signed once they are pushed, and pods wait until somebody whom the stack trusts has signed what they run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.errors import ConfigError
from notary import Office
from tests.components.declared import Program, Recorder
from tests.components.test_platform import deploy
from tests.notary.registries import Registry, running
from tests.trust.folders import private_pem, public_of, rsa_pem


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A registry, a key of the stack's own, and a builder that pushes there."""

    registry: Registry
    key: bytes
    path: Path

    @property
    def office(self) -> Office:
        return Office.open(private_pem=self.key.decode())

    def push(self, name: str) -> str:
        repository, _, tag = name.removeprefix(f"{self.registry.host}/").rpartition(":")
        digest = self.registry.push(repository, f'{{"built": "{name}"}}'.encode()).partition("@")[2]
        return f"{self.registry.host}/{repository}:{tag}@{digest}"

    def deploy(self, images: dict[str, Any], **sections: dict[str, Any]) -> Program:
        images = {"registry": f"{self.registry.host}/team", **images}
        return deploy(Recorder(push=self.push), images=images, **sections)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    key = private_pem()
    (tmp_path / "images.key").write_bytes(key)
    with running() as registry:
        yield Workshop(registry=registry, key=key, path=tmp_path / "images.key")


def images_of_pods(program: Program) -> list[str]:
    pod = program.one("Deployment").inputs["spec"]["template"]["spec"]
    return [each["image"] for each in pod["containers"]]


def test_without_keys_no_registry_is_asked(workshop: Workshop) -> None:
    assert len(images_of_pods(workshop.deploy({}))) == 1
    assert workshop.registry.writes == 0


def test_a_key_signs_every_image_that_the_stack_builds(workshop: Workshop) -> None:
    program = workshop.deploy({"signingKey": str(workshop.path)})
    built = [*images_of_pods(program), *program.outputs["runtime_images"].values()]
    assert len(built) == 2
    assert {workshop.office.verify(image) for image in built} == {workshop.office.verify(built[0])}


def test_the_provenance_of_an_image_names_source_locks_builder_and_model(workshop: Workshop) -> None:
    program = workshop.deploy({"signingKey": str(workshop.path), "builder": "ci"})
    (image,) = images_of_pods(program)
    (runtime,) = program.outputs["runtime_images"].values()
    (of_runtime,), (of_model,) = workshop.office.provenance(runtime), workshop.office.provenance(image)
    made_of = {
        each["name"]: each["digest"]
        for each in of_runtime["predicate"]["buildDefinition"]["resolvedDependencies"]
    }
    assert len(made_of["source"]["gitCommit"]) == 40
    assert {
        "requirements/runtime.txt",
        "requirements/serving.txt",
        "requirements/bare.txt",
    } <= made_of.keys()
    assert of_runtime["predicate"]["runDetails"]["builder"]["id"] == "urn:tf-serving-platform:builder:ci"
    model = {
        each["name"]: each["digest"]
        for each in of_model["predicate"]["buildDefinition"]["resolvedDependencies"]
    }
    assert model[runtime.partition("@")[0]] == {"sha256": runtime.partition("sha256:")[2]}
    assert len(model["model mnist version 7"]["sha256"]) == 64


def test_a_public_key_alone_lets_pass_what_somebody_else_signed(workshop: Workshop) -> None:
    workshop.deploy({"signingKey": str(workshop.path)})
    program = workshop.deploy({"signatureKeys": [public_of(private_pem()), public_of(workshop.key)]})
    assert len(images_of_pods(program)) == 1


def signed_by_a_stranger(workshop: Workshop) -> dict[str, Any]:
    stranger = workshop.path.with_name("stranger.key")
    stranger.write_bytes(private_pem())
    workshop.deploy({"signingKey": str(stranger)})
    return {}


def unsigned(_workshop: Workshop) -> dict[str, Any]:
    return {}


def tampered_image(workshop: Workshop) -> dict[str, Any]:
    pushed = workshop.push(f"{workshop.registry.host}/team/models/mnist:7")
    workshop.office.sign(pushed)
    workshop.registry.stored[f"/v2/team/models/mnist/manifests/{pushed.partition('@')[2]}"] = b"tampered"
    return {"model": {"pushedImage": pushed}}


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (unsigned, "received none; sign it"),
        (signed_by_a_stranger, "one of the keys"),
        (tampered_image, "serves something else than was pushed"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_whatever_nobody_trusted_signed_reaches_no_deployment(
    workshop: Workshop, prepare: Callable[[Workshop], dict[str, Any]], words: str
) -> None:
    sections = prepare(workshop)
    images = {"registry": f"{workshop.registry.host}/team", "signatureKeys": [public_of(workshop.key)]}
    recorder = Recorder(push=workshop.push)
    with pytest.raises(pulumi.RunError, match=f"an image is not vouched for: .*{words}"):
        deploy(recorder, images=images, **sections)
    assert "Deployment" not in {each.kind for each in recorder.resources}


@pytest.mark.parametrize(
    ("content", "keys", "words"),
    [
        ("no key", [], r"images\.signingKey: expected a private key in PEM"),
        (rsa_pem().decode(), [], r"images\.signingKey: expected an elliptic curve key"),
        ("", ["no key"], r"images\.signatureKeys: expected public keys in PEM"),
    ],
    ids=["no private key", "RSA", "no public key"],
)
def test_a_key_that_is_none_names_its_place(
    workshop: Workshop, content: str, keys: list[str], words: str
) -> None:
    workshop.path.write_text(content)
    signing = {"signingKey": str(workshop.path)} if content else {}
    with pytest.raises(ConfigError, match=words):
        workshop.deploy({**signing, "signatureKeys": keys})


def test_a_password_that_is_not_there_names_its_variable(workshop: Workshop) -> None:
    with pytest.raises(ConfigError, match="IMAGE_PASSWORD"):
        workshop.deploy({"signingKey": str(workshop.path), "signingPasswordVariable": "IMAGE_PASSWORD"})


def test_the_key_is_in_nothing_that_the_engine_is_told(workshop: Workshop) -> None:
    secret = workshop.key.decode().splitlines()[1]
    program = workshop.deploy({"signingKey": str(workshop.path)})
    assert secret not in str(program.resources)
    assert secret not in str(program.outputs)

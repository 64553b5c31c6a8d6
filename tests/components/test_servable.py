"""What may be deployed: with keys in the configuration, only what they signed."""

from pathlib import Path

import pytest

import trust
from components.config import read_config
from components.errors import ConfigError
from components.servable import published, vouched
from model_export.artifact import ModelArtifact
from tests.components.test_platform import deploy
from tests.model_export.repository.version_folders import make_version
from tests.trust.folders import private_pem, public_of

KEY = private_pem()


def standing(folder: Path, keys: list[str]) -> tuple[ModelArtifact, object]:
    config = read_config(
        {
            "images": {"registry": "registry.example.com/team"},
            "model": {"name": "mnist", "source": str(folder), "signatureKeys": keys},
        }
    )
    (served,) = config.served
    artifact = published(served.model)
    assert artifact is not None
    return artifact, served.model


@pytest.fixture
def version(tmp_path: Path) -> Path:
    return make_version(tmp_path, 7, files={"saved_model.pb": b"a graph"})


def test_without_keys_everything_is_deployed(version):
    artifact, model = standing(version, [])
    assert vouched(model, artifact) is artifact


def test_a_signed_version_is_deployed(version):
    (version / trust.SIGNATURE_NAME).write_text(trust.sign(version, KEY))
    artifact, model = standing(version, [public_of(private_pem()), public_of(KEY)])
    assert vouched(model, artifact) is artifact


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (
            lambda folder: (folder / trust.SIGNATURE_NAME).unlink(),
            "mnist is not vouched for: .*received none",
        ),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b"other"), "altered: saved_model.pb"),
        (
            lambda folder: (folder / trust.SIGNATURE_NAME).write_text(trust.sign(folder, private_pem())),
            "one of the keys",
        ),
    ],
    ids=["unsigned", "a weight byte", "a stranger's"],
)
def test_whatever_nobody_trusted_signed_is_refused_before_anything_is_declared(version, tamper, words):
    (version / trust.SIGNATURE_NAME).write_text(trust.sign(version, KEY))
    tamper(version)
    artifact, model = standing(version, [public_of(KEY)])
    with pytest.raises(ConfigError, match=words):
        vouched(model, artifact)


def test_a_key_that_is_none_names_its_place(version):
    artifact, model = standing(version, ["no key"])
    with pytest.raises(ConfigError, match=r"model\.signatureKeys: expected public keys in PEM"):
        vouched(model, artifact)


def test_the_pod_gets_the_keys_from_its_deployment_and_not_from_the_image():
    key = public_of(KEY)
    deployed = deploy(model={"signatureKeys": [key]})
    container = deployed.one("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    assert environment["TFSP_MODEL_SIGNATURE_KEYS"] == key

"""An image runs only as what its signer vouched for, and whatever was tampered with is refused with a sentence."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from notary import Office
from notary.errors import NotAReference
from tests.notary.registries import Registry
from tests.trust.folders import CURVES, private_pem, public_of
from trust.errors import Altered, TrustError, UnknownSigner, UnreadableKey, Unsigned

OURS = private_pem()
OFFICE = Office.open(private_pem=OURS.decode())
COSIGN = json.loads((Path(__file__).parent / "cosign_2_5_0.json").read_text())


@pytest.fixture
def signed(image: str) -> str:
    OFFICE.sign(image)
    return image


@pytest.mark.parametrize("curve", CURVES)
def test_what_was_signed_is_vouched_for(image: str, curve: str) -> None:
    key = private_pem(curve)
    Office.open(private_pem=key.decode()).sign(image)
    assert len(Office.open(trusted_pem=public_of(key)).verify(image)) == 64


def test_the_tag_of_an_image_is_no_matter(registry: Registry, signed: str) -> None:
    assert OFFICE.verify(signed.replace("@", ":7@")) == OFFICE.verify(signed)


def test_signing_again_writes_nothing(registry: Registry, signed: str) -> None:
    before = registry.writes
    OFFICE.sign(signed)
    assert registry.writes == before


def test_a_second_signer_keeps_the_first(signed: str) -> None:
    other = private_pem()
    Office.open(private_pem=other.decode()).sign(signed)
    assert OFFICE.verify(signed) != Office.open(trusted_pem=public_of(other)).verify(signed)


def test_a_signature_that_cosign_made_is_accepted(registry: Registry) -> None:
    """Made by cosign 2.5.0 with `cosign sign --tlog-upload=false`."""
    repository = "tf-serving-platform/r/runtime"
    reference = f"{registry.host}/{repository}@{COSIGN['digest']}"
    registry.stored[registry.path(reference, "sig")] = COSIGN["manifest"].encode()
    registry.stored[registry.blob_path(reference, "sig")] = COSIGN["payload"].encode()
    registry.stored[f"/v2/{repository}/manifests/{COSIGN['digest']}"] = COSIGN["image"].encode()
    assert len(Office.open(trusted_pem=COSIGN["public_key"]).verify(reference)) == 64


def test_the_text_that_is_signed_is_cosigns_own_to_the_last_byte(registry: Registry) -> None:
    image = registry.push("team/models/mnist", b"another image")
    OFFICE.sign(image)
    theirs = json.loads(COSIGN["payload"])
    theirs["critical"]["identity"]["docker-reference"] = image.partition("@")[0]
    theirs["critical"]["image"]["docker-manifest-digest"] = image.partition("@")[2]
    written = registry.stored[registry.blob_path(image, "sig")]
    assert written == json.dumps(theirs, separators=(",", ":")).encode()


def change_layer(registry: Registry, image: str, change: Callable[[dict], None]) -> None:
    manifest = json.loads(registry.stored[registry.path(image, "sig")])
    change(manifest["layers"][0])
    registry.stored[registry.path(image, "sig")] = json.dumps(manifest).encode()


def flip_image(registry: Registry, image: str) -> None:
    path = f"/v2/team/models/mnist/manifests/{image.partition('@')[2]}"
    registry.stored[path] = registry.stored[path].replace(b"2", b"3")


def remove_image(registry: Registry, image: str) -> None:
    del registry.stored[f"/v2/team/models/mnist/manifests/{image.partition('@')[2]}"]


def flip_text(registry: Registry, image: str) -> None:
    path = registry.blob_path(image, "sig")
    registry.stored[path] = registry.stored[path].replace(b"mnist", b"fraud")


def flip_signature(registry: Registry, image: str) -> None:
    def change(layer: dict) -> None:
        raw = bytearray(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"]))
        raw[-1] ^= 1
        layer["annotations"]["dev.cosignproject.cosign/signature"] = base64.b64encode(raw).decode()

    change_layer(registry, image, change)


def no_base64(registry: Registry, image: str) -> None:
    change_layer(
        registry, image, lambda layer: layer.update(annotations={"dev.cosignproject.cosign/signature": "?"})
    )


def remove_signature(registry: Registry, image: str) -> None:
    del registry.stored[registry.path(image, "sig")]


def remove_text(registry: Registry, image: str) -> None:
    del registry.stored[registry.blob_path(image, "sig")]


def signed_by_a_stranger(registry: Registry, image: str) -> None:
    remove_signature(registry, image)
    Office.open(private_pem=private_pem().decode()).sign(image)


def signature_of_another_image(registry: Registry, image: str) -> None:
    other = registry.push("team/models/mnist", b"an older image")
    OFFICE.sign(other)
    registry.stored[registry.path(image, "sig")] = registry.stored[registry.path(other, "sig")]


def no_manifest(registry: Registry, image: str) -> None:
    registry.stored[registry.path(image, "sig")] = b"[" * 100_000


def endless_signatures(registry: Registry, image: str) -> None:
    manifest = json.loads(registry.stored[registry.path(image, "sig")])
    manifest["layers"] *= 101
    registry.stored[registry.path(image, "sig")] = json.dumps(manifest).encode()


TAMPERING = {
    "the image": (flip_image, Altered, "serves something else than was pushed"),
    "no image": (remove_image, Altered, "expected the image in its registry"),
    "the signed text": (flip_text, Altered, "serves something else than was pushed"),
    "a bit of the signature": (flip_signature, UnknownSigner, "one of the keys"),
    "no signature in the note": (no_base64, UnknownSigner, "one of the keys"),
    "no signature": (remove_signature, Unsigned, "received none; sign it"),
    "no signed text": (remove_text, Altered, "sign the image again"),
    "a stranger's signature": (signed_by_a_stranger, UnknownSigner, "one of the keys"),
    "the signature of another image": (signature_of_another_image, Altered, "one image beside another"),
    "no manifest of signatures": (no_manifest, Altered, "delete that tag"),
    "endless signatures": (endless_signatures, Altered, "at most 100 signatures"),
}


@pytest.mark.parametrize(("tamper", "error", "words"), TAMPERING.values(), ids=TAMPERING.keys())
def test_whatever_was_tampered_with_is_refused_by_name(
    registry: Registry,
    signed: str,
    tamper: Callable[[Registry, str], None],
    error: type[TrustError],
    words: str,
) -> None:
    tamper(registry, signed)
    with pytest.raises(error, match=words):
        OFFICE.verify(signed)


@pytest.mark.parametrize(
    "name", ["mnist", "registry.example.com/mnist:7", "registry.example.com/mnist@sha256:abc"]
)
def test_only_an_image_by_digest_is_signed(name: str) -> None:
    with pytest.raises(NotAReference, match="write the digest"):
        OFFICE.sign(name)


def test_without_a_key_of_its_own_nobody_signs(image: str) -> None:
    with pytest.raises(UnreadableKey, match="private key to sign with"):
        Office.open(trusted_pem=public_of(OURS)).sign(image)


def test_an_office_shows_no_key() -> None:
    assert "PrivateKey" not in repr(OFFICE)

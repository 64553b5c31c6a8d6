"""The pack asks a registry who signed what pods run, and lets pass only what one of its keys did."""

from collections.abc import Iterator

import pytest

from notary import Office
from policy.catalogue import KEYED_RULES
from policy.rule import UNKNOWN
from tests.notary.registries import Registry, running
from tests.policy.samples import changed, stack
from tests.trust.folders import private_pem, public_of

(SIGNED,) = [rule for rule in KEYED_RULES if rule.name == "images-signed"]
IMAGE = "spec|template|spec|containers|0|image"
KEY = private_pem()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as server:
        yield server


def messages(image: object, *keys: bytes) -> list[str]:
    trusted = "\n".join(public_of(key) for key in keys)
    return list(SIGNED.check(changed(stack()["deployment"], IMAGE, image), trusted))


def test_an_image_that_one_of_the_keys_signed_passes(registry: Registry) -> None:
    image = registry.push("team/mnist")
    Office.open(private_pem=KEY.decode()).sign(image)
    assert messages(image, private_pem(), KEY) == []


def test_an_image_that_nobody_signed_is_a_breach(registry: Registry) -> None:
    (message,) = messages(registry.push("team/mnist"), KEY)
    assert message.startswith("Deployment mnist, container server: ")
    assert "expected a signature" in message


def test_an_image_that_a_stranger_signed_is_a_breach(registry: Registry) -> None:
    image = registry.push("team/mnist")
    Office.open(private_pem=private_pem().decode()).sign(image)
    assert "one of the keys" in messages(image, KEY)[0]


@pytest.mark.parametrize("image", ["mnist", "registry.example.com/mnist:7"])
def test_an_image_by_a_tag_is_a_breach_because_a_tag_can_be_moved(image: str) -> None:
    assert "write the digest" in messages(image, KEY)[0]


def test_an_image_that_is_not_known_yet_is_asked_about_in_the_update() -> None:
    assert messages(UNKNOWN, KEY) == []


def test_without_keys_no_image_passes() -> None:
    assert "expected public keys in PEM" in messages("registry.example.com/mnist@sha256:" + "a" * 64)[0]


def test_what_makes_no_pods_runs_no_image() -> None:
    assert list(SIGNED.check(stack()["service"], public_of(KEY))) == []

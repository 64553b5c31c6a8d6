"""Names: safe, readable, and never the same for two models."""

import re

import pytest

from components import naming

LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "mnist",
        "ResNet_50",
        "resnet.50",
        "50-layers",
        "_",
        "a" * 52,
        "a" * 53,
        "a" * 63,
        "A" * 63,
        "a-" * 31 + "b",
        "Ünïcode",
        "-",
    ],
)
def test_every_model_name_becomes_a_label_that_leaves_room_for_suffixes(name: str):
    label = naming.dns_label(name)
    assert LABEL.fullmatch(label)
    assert len(label) <= 52


def test_a_label_is_kept_as_it_is():
    assert naming.dns_label("mnist-2") == "mnist-2"


def test_names_that_look_alike_do_not_collide():
    names = ["resnet-50", "resnet_50", "ResNet-50", "resnet.50", "resnet--50", "a" * 60, "a" * 61, "1", "m-1"]
    assert len({naming.dns_label(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["mnist", "a" * 52, "A" * 63])
def test_a_canary_leaves_room_for_suffixes_too(name: str):
    assert len(naming.canary(naming.dns_label(name))) <= 63
    assert LABEL.fullmatch(naming.canary(naming.dns_label(name)))


def test_a_selector_holds_nothing_that_moves():
    assert set(naming.selector("mnist")) == {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
    assert (
        naming.selector("mnist").items()
        <= naming.pod_labels("mnist", version=7, model="mnist", track="stable").items()
    )


@pytest.mark.parametrize(
    ("model", "repository"),
    [
        ("mnist", "mnist"),
        ("MNIST", "mnist"),
        ("resnet_50.v2--x", "resnet_50.v2--x"),
        ("a..b", naming.dns_label("a..b")),
        ("a-", naming.dns_label("a-")),
        ("a___b", naming.dns_label("a___b")),
        ("a.-b", naming.dns_label("a.-b")),
    ],
)
def test_a_registry_gets_a_name_that_it_takes(model: str, repository: str):
    assert naming.repository(model) == repository

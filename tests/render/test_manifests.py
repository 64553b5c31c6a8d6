"""What is kept, taken out and refused of a preview, over plain data."""

import copy
from typing import Any

import pytest

from render.errors import RenderError
from render.manifests import manifests

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
IMAGE = "registry.example.com/mnist@sha256:" + "a" * 64
CONTAINER = "spec|template|spec|containers|0"


def state(kind: str, name: str, **inputs: Any) -> dict[str, Any]:
    content = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "annotations": {"pulumi.com/skipAwait": "true", "team": "a"}},
        **inputs,
    }
    return {"urn": f"urn:{kind}:{name}", "type": f"kubernetes:core/v1:{kind}", "inputs": content}


def deployment(image: str = IMAGE) -> dict[str, Any]:
    pod = {
        "template": {
            "spec": {"containers": [{"name": "server", "image": image, "env": [{"name": "A", "value": "1"}]}]}
        }
    }
    return {**state("Deployment", "mnist", spec={"replicas": 2, **pod}), "ignoreChanges": ["spec.replicas"]}


def preview(*states: dict[str, Any], op: str = "create") -> dict[str, Any]:
    return {"steps": [{"op": op, "newState": each} for each in states]}


def with_value(found: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(found)
    place: Any = changed["inputs"]
    *way, last = path.split("|")
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    return changed


def test_what_only_pulumi_understands_is_taken_out():
    (found,) = manifests(preview(deployment()), {})
    assert found.content["metadata"] == {"name": "mnist", "annotations": {"team": "a"}}
    assert "replicas" not in found.content["spec"]


def test_an_object_without_other_annotations_has_none():
    plain = with_value(state("Service", "mnist"), "metadata|annotations", {"pulumi.com/skipAwait": "true"})
    (found,) = manifests(preview(plain), {})
    assert found.content["metadata"] == {"name": "mnist"}


def test_what_others_need_comes_first():
    kinds = (
        "Deployment",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "Service",
        "Namespace",
        "ServiceAccount",
    )
    found = manifests(preview(*(state(kind, "mnist") for kind in kinds)), {})
    assert [each.kind for each in found] == [
        "Namespace", "ServiceAccount", "NetworkPolicy", "Service", "Deployment", "HorizontalPodAutoscaler",
    ]  # fmt: skip


def test_components_providers_and_images_are_no_objects():
    others = [
        {"urn": "a", "type": "tfserving:platform:ServingPlatform"},
        {"urn": "b", "type": "pulumi:providers:kubernetes", "inputs": {"context": "prod"}},
        {"urn": "c", "type": "docker-build:index:Image", "inputs": {"tags": []}},
    ]
    assert manifests(preview(*others), {}) == []


@pytest.mark.parametrize("op", ["create", "same", "update", "replace", "create-replacement"])
def test_what_stays_or_comes_is_rendered(op):
    assert len(manifests(preview(state("Service", "mnist"), op=op), {})) == 1


def test_what_goes_is_not():
    gone = {"steps": [{"op": "delete", "oldState": state("Service", "mnist")}]}
    replaced = {"steps": [{"op": "delete-replaced", "newState": state("Service", "mnist")}]}
    assert manifests(gone, {}) == manifests(replaced, {}) == []


def test_a_replaced_object_is_rendered_once():
    steps = preview(state("Service", "mnist"), op="create-replacement")["steps"]
    assert (
        len(manifests({"steps": [*steps, *preview(state("Service", "mnist"), op="replace")["steps"]]}, {}))
        == 1
    )


def test_an_image_that_is_not_built_yet_can_be_named():
    (found,) = manifests(preview(deployment(UNKNOWN)), {"mnist": IMAGE})
    assert found.content["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGE


def test_an_image_that_is_known_is_not_replaced():
    (found,) = manifests(preview(deployment()), {"mnist": IMAGE.replace("a", "b")})
    assert found.content["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGE


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            deployment(UNKNOWN),
            r"containers\[0\].image is only known after an update; build the images first .* or name it",
        ),
        (
            with_value(deployment(), f"{CONTAINER}|env|0|value", UNKNOWN),
            "only known after an update; give it a value",
        ),
        (with_value(deployment(), f"{CONTAINER}|env|0|value", "[secret]"), "is a secret, and files in git"),
        (state("Secret", "s3", stringData={"key": "x"}), "Secret s3 would stand in git"),
        (with_value(state("Service", "mnist"), "metadata", {}), "has no name of its own"),
        (
            with_value(state("Service", "m"), "metadata|annotations", {"pulumi.com/autonamed": "true"}),
            "has no name of its own",
        ),
    ],
    ids=["image", "value", "secret", "Secret", "no name", "auto name"],
)
def test_what_cannot_stand_in_a_file_is_a_sentence(found, words):
    with pytest.raises(RenderError, match=words):
        manifests(preview(found), {})


def test_an_image_for_an_object_that_is_not_there_is_a_sentence():
    with pytest.raises(RenderError, match="the stack has no such object; it has mnist"):
        manifests(preview(deployment()), {"resnet": IMAGE})

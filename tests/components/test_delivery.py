"""Versions that are no layer of the image: how they get into pods, and that it is exactly the one that was previewed."""

from typing import Any

import pytest

from components.errors import ConfigError
from tests.components import examples
from tests.components.declared import Program
from tests.components.restricted import violations
from tests.components.test_platform import deploy

FETCHER = "registry.example.com/team/model-export@sha256:" + "b" * 64
FETCH = {"mode": "init-fetch", "bucket": "s3://models/team", "fetchImage": FETCHER}
VOLUME = {"mode": "volume", "claim": "model-repository"}


def pod(delivery: dict[str, Any], **sections: dict[str, Any]) -> dict[str, Any]:
    spec = deploy(delivery=delivery, **sections).one("Deployment").inputs["spec"]
    found: dict[str, Any] = spec["template"]["spec"]
    return found


def outward(deployed: Program) -> list[dict[str, Any]]:
    return [each.inputs["spec"] for each in deployed.all("NetworkPolicy") if each.name.endswith("-outward")]


def test_a_layer_of_the_image_needs_nothing_else():
    assert "initContainers" not in pod({"mode": "image"})
    assert outward(deploy()) == []


@pytest.mark.parametrize("delivery", [FETCH, VOLUME], ids=["init-fetch", "volume"])
def test_what_comes_from_a_repository_runs_on_the_runtime_alone(delivery):
    deployed = deploy(delivery=delivery)
    assert len(deployed.all("Image")) == 1
    container = deployed.one("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == deployed.outputs["runtime_images"]["cpu"] == deployed.outputs["image"]


def test_the_fetch_is_of_the_previewed_version_and_identity():
    (fetch,) = pod(FETCH)["initContainers"]
    assert fetch["image"] == FETCHER
    assert fetch["command"] == [
        "python3", "-m", "model_export", "fetch", "s3://models/team/mnist", "7", "/models/mnist", "--identity", examples.DIGEST,
    ]  # fmt: skip


def test_what_fetches_is_a_layer_on_the_runtime_where_no_image_is_named():
    deployed = deploy(delivery={**FETCH, "fetchImage": ""})
    runtime, fetcher = deployed.all("Image")
    assert (fetcher.inputs["target"], fetcher.inputs["dockerfile"]["location"]) == (
        "fetch",
        "images/fetch.Dockerfile",
    )
    assert fetcher.inputs["buildArgs"]["RUNTIME_IMAGE"] == deployed.outputs["runtime_images"]["cpu"]
    (fetch,) = deployed.one("Deployment").inputs["spec"]["template"]["spec"]["initContainers"]
    assert fetch["image"].startswith("registry.example.com/team/fetch:cpu@sha256:")
    assert "fetch" not in str(runtime.inputs)


def test_models_on_one_runtime_share_what_fetches_them():
    built = {**FETCH, "fetchImage": ""}
    deployed = deploy(models={"mnist": {"delivery": built}, "resnet": {"delivery": built}, "small": {}})
    tags = sorted(each.inputs["tags"][0].rpartition("/")[2] for each in deployed.all("Image"))
    assert tags == ["fetch:cpu", "runtime:cpu", "small:7"]


def test_the_server_reads_what_was_fetched_and_cannot_change_it():
    declared = pod(FETCH)
    (fetch,), (server,) = declared["initContainers"], declared["containers"]
    assert {"name": "model", "mountPath": "/models/mnist"} in fetch["volumeMounts"]
    assert {"name": "model", "mountPath": "/models/mnist", "readOnly": True} in server["volumeMounts"]


def test_what_is_fetched_has_room_on_the_pods_disk():
    declared = pod(FETCH, resources={"scratchMib": 256})
    (volume,) = [each for each in declared["volumes"] if each["name"] == "model"]
    assert volume["emptyDir"] == {"sizeLimit": "66Mi"}  # 34 kB, twice, in whole MiB, and 64
    assert declared["containers"][0]["resources"]["limits"]["ephemeral-storage"] == "322Mi"


def test_only_the_fetch_knows_the_credentials():
    declared = pod({**FETCH, "credentialsSecret": "s3"})
    (fetch,), (server,) = declared["initContainers"], declared["containers"]
    assert "repository-credentials" in [each["name"] for each in fetch["volumeMounts"]]
    assert "repository-credentials" not in [each["name"] for each in server["volumeMounts"]]
    assert not [each for each in server["env"] if each["name"].startswith("AWS_")]


def test_of_a_claim_one_version_is_seen_to_read():
    declared = pod(VOLUME)
    (volume,) = [each for each in declared["volumes"] if each["name"] == "model"]
    assert volume["persistentVolumeClaim"] == {"claimName": "model-repository", "readOnly": True}
    (mount,) = [each for each in declared["containers"][0]["volumeMounts"] if each["name"] == "model"]
    assert mount == {"name": "model", "mountPath": "/models/mnist/7", "subPath": "mnist/7", "readOnly": True}


@pytest.mark.parametrize(
    ("delivery", "exposure", "count"),
    [(FETCH, {}, 1), (VOLUME, {}, 0), (FETCH, {"networkPolicies": False}, 0)],
    ids=["bucket", "claim", "open namespace"],
)
def test_a_closed_namespace_opens_the_way_to_a_bucket(delivery, exposure, count):
    assert len(outward(deploy(delivery=delivery, exposure=exposure))) == count


def test_the_way_out_is_for_the_pods_of_this_model_alone():
    (spec,) = outward(deploy(delivery={**FETCH, "endpoint": "https://s3.example.com:9000"}))
    assert spec["policyTypes"] == ["Egress"]
    assert spec["podSelector"]["matchLabels"]["tf-serving-platform/model"] == "mnist"
    assert [port["port"] for port in spec["egress"][1]["ports"]] == [443, 9000]


@pytest.mark.parametrize("delivery", [FETCH, VOLUME], ids=["init-fetch", "volume"])
def test_pods_keep_the_restricted_profile(delivery):
    assert violations(pod(delivery, gpu={"count": 1})) == []


def test_each_model_is_delivered_in_its_own_way():
    deployed = deploy(models={"mnist": {"delivery": FETCH}, "resnet": {}})
    inits = {
        each.inputs["metadata"]["name"]: len(
            each.inputs["spec"]["template"]["spec"].get("initContainers", [])
        )
        for each in deployed.all("Deployment")
    }
    assert inits == {"mnist": 1, "resnet": 0}


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        ({"mode": "fetch"}, "delivery.mode must be one of image, init-fetch, volume"),
        ({"mode": "init-fetch"}, "delivery.mode is init-fetch but delivery.bucket is not set"),
        ({"mode": "volume"}, "delivery.claim is not set"),
        ({**FETCH, "fetchImage": "fetcher:1"}, "delivery.fetchImage must be an image by digest"),
    ],
    ids=["unknown", "no bucket", "no claim", "tag"],
)
def test_a_mistake_is_a_sentence(delivery, words):
    with pytest.raises(ConfigError, match=words):
        deploy(delivery=delivery)


def test_tensorflow_serving_reads_its_image():
    upstream = {"image": "docker.io/tensorflow/serving:2.20.0@sha256:" + "c" * 64}
    with pytest.raises(
        ConfigError,
        match=r"delivery\.mode is init-fetch, but TensorFlow Serving reads the model from its image",
    ):
        deploy(delivery=FETCH, server={"runtime": "tensorflow-serving"}, upstream=upstream)

"""What the package's components declare, given what Pulumi hands them: dicts, and whole numbers as floats."""

from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError

from package.model_service import ModelService
from package.serving_namespace import ServingNamespace
from package.training import ModelRepository, TrainingRun
from policy.catalogue import RULES, STACK_RULES
from policy.rule import Resource
from tests.components.declared import Declared, Program, declare

IMAGE = "registry.example.com/team/models/mnist@sha256:" + "a" * 64
MODEL: dict[str, Any] = {
    "namespace": "tf-serving",
    "model": "mnist",
    "version": 7.0,
    "image": IMAGE,
    "model_digest": "sha256:" + "d" * 64,
}


def deploy(**changes: Any) -> Program:
    def program() -> None:
        ServingNamespace("ground", {"namespace": "tf-serving", "pod_security_version": "v1.34"})
        service = ModelService("mnist", {**MODEL, **changes})  # type: ignore[typeddict-item]
        pulumi.export("rest_url", service.rest_url)

    return declare(program)


def objects(declared: Program) -> list[Declared]:
    return [each for each in declared.resources if each.type.startswith("kubernetes:")]


def test_a_model_service_is_what_a_stack_declares_but_for_the_images():
    assert sorted(each.kind for each in objects(deploy())) == [
        "Deployment",
        "HorizontalPodAutoscaler",
        "Namespace",
        "NetworkPolicy",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    ]


def test_blocks_reach_their_objects():
    declared = deploy(
        resources={"cpu_millicores": 2000.0},
        gpu={"count": 1.0},
        autoscaling={"max_replicas": 9.0},
        server={"service_type": "NodePort"},
        node_address="192.0.2.7",
    )
    container = declared.one("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["requests"]["cpu"] == "2000m"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert declared.one("HorizontalPodAutoscaler").inputs["spec"]["maxReplicas"] == 9
    assert declared.outputs["rest_url"].startswith("http://192.0.2.7:")


def test_the_image_and_the_digest_are_the_pods():
    template = deploy().one("Deployment").inputs["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == IMAGE
    assert template["metadata"]["annotations"] == {"tf-serving-platform/model-digest": MODEL["model_digest"]}


def test_types_are_those_of_the_schema():
    kinds = {each.type for each in deploy().resources}
    assert {"tf-serving:index:ModelService", "tf-serving:index:ServingNamespace"} <= kinds


def test_what_the_package_declares_keeps_every_policy_that_is_on_by_itself():
    resources = [Resource(type=each.type, name=each.name, props=each.inputs) for each in deploy().resources]
    # Mocks do not tell a test which changes are ignored; the real engine tells the pack.
    rules = [rule for rule in STACK_RULES if rule.name != "replicas-left-to-the-autoscaler"]
    asked = [rule for rule in RULES if not rule.is_on_request]
    assert [text for rule in asked for each in resources for text in rule.check(each)] == []
    assert [text for rule in rules for _, text in rule.check(resources)] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"namespace": "default"}, "cluster.namespace must be a namespace of the stack's own"),
        ({"gpu": {"product": "H100"}}, "gpu.product is 'H100' but gpu.count is 0"),
        ({"autoscaling": {"min_replicas": 9.0}}, "autoscaling.minReplicas must be at most"),
        ({"resources": {"memory_mib": 1.5}}, "resources.memoryMib must be a whole number"),
        ({"gpu": {"count": -1.0}}, "gpu.count must be at least 0, got -1; set it in the program$"),
        ({"image": "registry.example.com/mnist:latest"}, "image must be an image by digest, got 'registry"),
        ({"version": 0.0}, "version must be the version that the image holds, 1 or more, got 0"),
    ],
    ids=["namespace", "gpu", "bounds", "number", "command", "tag", "version"],
)
def test_a_mistake_is_the_same_sentence_as_in_a_stack(changes: dict[str, Any], words: str):
    with pytest.raises(InputPropertiesError, match=words):
        deploy(**changes)


def test_a_training_run_publishes_to_the_repository_beside_it():
    repository = {"volume_gib": 5.0}
    training = {"model": "mnist", "version": 7.0, "image": IMAGE}

    def program() -> None:
        ModelRepository("models", {"namespace": "training", "repository": repository})  # type: ignore[typeddict-item]
        run = TrainingRun("run", {"namespace": "training", "repository": repository, "training": training})  # type: ignore[typeddict-item]
        pulumi.export("published_to", run.published_to)

    declared = declare(program)
    assert declared.outputs["published_to"] == "/repository/mnist"
    claim = declared.one("PersistentVolumeClaim").inputs["metadata"]["name"]
    volumes = declared.one("Job").inputs["spec"]["template"]["spec"]["volumes"]
    assert {"claimName": claim, "readOnly": False} in [each.get("persistentVolumeClaim") for each in volumes]

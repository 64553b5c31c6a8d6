"""What ServingPlatform declares, as the engine would be asked for it: plain data, compared outside of any `apply`."""

from typing import Any

import pulumi
import pytest

from components import platform
from components.errors import ConfigError
from tests.components import examples
from tests.components.declared import Program, Recorder, declare

CANARY: dict[str, dict[str, Any]] = {
    "canary": {"source": "build/next", "weightPercent": 50},
    "server": {"replicas": 2},
}


def deploy(recorder: Recorder | None = None, **sections: dict[str, Any]) -> Program:
    configuration = examples.config(**sections)
    artifacts = {each.model.name: examples.artifact(name=each.model.name) for each in configuration.served}
    candidates = {each.name: examples.candidate(each.name) for each in configuration.candidates}

    def program() -> None:
        contracts = dict.fromkeys(artifacts, "{}")
        args = platform.ServingPlatformArgs(
            config=configuration, artifacts=artifacts, candidates=candidates, contracts=contracts
        )
        for name, value in platform.ServingPlatform("serving", args).facts().items():
            pulumi.export(name, value)

    return declare(program, recorder)


def test_one_model_is_eight_objects_and_two_images():
    kinds = sorted(each.kind for each in deploy().resources if not each.type.startswith("tfserving:"))
    assert kinds == [
        "Deployment",
        "HorizontalPodAutoscaler",
        "Image",
        "Image",
        "Namespace",
        "NetworkPolicy",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    ]


def test_the_namespace_enforces_a_pinned_restricted_profile():
    labels = deploy(cluster={"podSecurityVersion": "v1.33"}).one("Namespace").inputs["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.33"


def test_the_service_account_has_no_token():
    assert deploy().one("ServiceAccount").inputs["automountServiceAccountToken"] is False


def test_the_pod_runs_the_model_image_by_digest():
    deployed = deploy()
    pod = deployed.one("Deployment").inputs["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == deployed.outputs["image"]
    assert "@sha256:" in deployed.outputs["image"]


@pytest.mark.parametrize("output", ["image", "models"])
def test_a_stack_exports_what_runs_once_the_pods_of_every_track_are_ready(output: str):
    deployed = deploy(**CANARY)
    deployments = {each.name for each in deployed.all("Deployment")}
    assert len(deployments) == 2
    assert deployments <= deployed.awaited[output]


def test_the_model_image_stands_on_the_runtime_image_by_digest():
    deployed = deploy()
    _, model = deployed.all("Image")
    assert model.inputs["buildArgs"]["RUNTIME_IMAGE"] == deployed.outputs["runtime_images"]["cpu"]


PUSHED = "registry.example.com/team/models/mnist:7@sha256:" + "e" * 64
RUNTIMES = {"cpu": "registry.example.com/team/runtime:cpu@sha256:" + "f" * 64}


def test_an_image_that_was_pushed_before_is_run_as_it_is_and_nothing_is_built():
    deployed = deploy(model={"pushedImage": PUSHED})
    assert deployed.all("Image") == []
    (container,) = deployed.one("Deployment").inputs["spec"]["template"]["spec"]["containers"]
    assert container["image"] == deployed.outputs["image"] == PUSHED
    assert deployed.outputs["runtime_images"] == {}


@pytest.mark.parametrize(
    ("sections", "tags"),
    [
        ({"images": {"pushedRuntimes": RUNTIMES}}, ["models/mnist:7"]),
        ({"images": {"pushedRuntimes": RUNTIMES}, "model": {"pushedImage": PUSHED}}, []),
        ({"model": {"pushedImage": PUSHED}, **CANARY}, ["runtime:cpu", "models/mnist:8"]),
        ({"model": {"pushedImage": PUSHED}, **examples.UPSTREAM}, ["runtime:cpu"]),
    ],
    ids=["a runtime", "both", "a canary is new", "an API layer apart"],
)
def test_only_what_nobody_pushed_is_built(sections, tags):
    built = [
        image.inputs["tags"][0].removeprefix("registry.example.com/team/")
        for image in deploy(**sections).all("Image")
    ]
    assert built == tags


@pytest.mark.parametrize(
    "image", [PUSHED.replace(":7@", ":8@"), PUSHED.replace("mnist", "resnet")], ids=["version", "model"]
)
def test_an_image_of_another_model_or_version_is_refused(image):
    with pytest.raises(ConfigError, match=r"model.pushedImage must be an image `…/models/mnist:7@sha256:…`"):
        deploy(model={"pushedImage": image})


def test_a_stack_remembers_what_it_ran_before():
    ran = {"model_version": 6, "model_digest": "sha256:6", "image": PUSHED.replace(":7@", ":6@")}
    outputs = {"models": {"mnist": {**ran, "contract": ""}}}
    assert deploy(Recorder(deployed=outputs)).outputs["previous"] == ran
    assert deploy().outputs["previous"] is None


def test_a_stack_exports_where_its_model_answers_and_what_it_is():
    outputs = deploy(server={"serviceType": "NodePort"}, cluster={"nodeAddress": "192.0.2.7"}).outputs
    assert outputs["model_digest"] == examples.DIGEST
    assert (outputs["model"], outputs["model_version"], outputs["service"]) == ("mnist", 7, "mnist")
    assert outputs["rest_url"] == f"http://192.0.2.7:{outputs['node_ports']['rest']}"
    assert outputs["grpc_target"] == f"192.0.2.7:{outputs['node_ports']['grpc']}"


def test_addresses_say_https_where_the_server_speaks_tls():
    tls = {
        "settings": {"enable_rest_tls": True},
        "serviceType": "NodePort",
        "console": True,
        "consoleNodePort": 30503,
    }
    outputs = deploy(cluster={"nodeAddress": "192.0.2.7"}, server=tls).outputs
    assert outputs["rest_url"].startswith("https://192.0.2.7:")
    assert outputs["console_url"] == "https://192.0.2.7:30503"


def test_a_service_inside_the_cluster_is_named_by_its_dns_name():
    outputs = deploy().outputs
    assert outputs["rest_url"] == "http://mnist.tf-serving.svc:8501"
    assert outputs["grpc_target"] == "mnist.tf-serving.svc:8500"


def test_several_models_share_one_runtime_and_stand_apart_otherwise():
    deployed = deploy(models={"mnist": {}, "resnet": {"autoscaling": {"maxReplicas": 9}}})
    assert len(deployed.all("Image")) == 3
    assert {each.inputs["metadata"]["name"] for each in deployed.all("Deployment")} == {"mnist", "resnet"}
    scalers = {
        each.inputs["metadata"]["name"]: each.inputs["spec"]
        for each in deployed.all("HorizontalPodAutoscaler")
    }
    assert (scalers["mnist"]["maxReplicas"], scalers["resnet"]["maxReplicas"]) == (3, 9)
    assert set(deployed.outputs["models"]) == {"mnist", "resnet"}
    assert "rest_url" not in deployed.outputs


def test_models_on_cpu_and_gpu_get_a_runtime_each():
    deployed = deploy(models={"small": {}, "large": {"gpu": {"count": 1}}})
    assert set(deployed.outputs["runtime_images"]) == {"cpu", "gpu"}


@pytest.mark.parametrize(
    ("autoscaling", "replicas", "scalers"),
    [({"minReplicas": 2}, 2, 1), ({"enabled": False}, 5, 0)],
    ids=["autoscaled", "fixed"],
)
def test_the_number_of_pods_starts_at_the_autoscalers_minimum_or_is_fixed(autoscaling, replicas, scalers):
    deployed = deploy(autoscaling=autoscaling, server={"replicas": 5})
    assert deployed.one("Deployment").inputs["spec"]["replicas"] == replicas
    assert len(deployed.all("HorizontalPodAutoscaler")) == scalers

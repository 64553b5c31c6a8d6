"""The pod template: safe, sized, and the same on every run."""

import copy
import warnings
from typing import Any

import kubernetes_validate
import pytest

from tests.components.examples import UPSTREAM
from tests.components.restricted import violations
from tests.components.test_platform import deploy

VERSIONS = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
BEFORE_CLAIMS = ("1.31", "1.32", "1.33")
"""Versions without `resource.k8s.io/v1`."""
SHAPES = {
    "cpu": {},
    "gpu": {"gpu": {"count": 2, "product": "NVIDIA-A100", "runtimeClass": "nvidia"}},
    "fixed, spread and pulled": {
        "autoscaling": {"enabled": False},
        "rollout": {"spread": "required"},
        "cluster": {"priorityClass": "serving", "imagePullSecrets": ["registry"]},
    },
    "claimed gpu": {"gpu": {"count": 1, "deviceClass": "gpu.nvidia.com"}},
    "tensorflow serving": {**UPSTREAM, "gpu": {"count": 1}},
    "node port": {"server": {"serviceType": "NodePort", "restNodePort": 30_001}},
}


STACKS = {
    **SHAPES,
    "canary, quota and secrets": {
        "canary": {"source": "build/next", "weightPercent": 50},
        "quota": {"pods": 20, "cpuCores": 40, "memoryGib": 90},
        "server": {"secretFiles": {"access_file": "tokens/access.json"}},
        "autoscaling": {"inFlightRequests": 8, "queueWaitMilliseconds": 20},
    },
}


def pod_of(**sections: dict[str, Any]) -> dict[str, Any]:
    return deploy(**sections).one("Deployment").inputs["spec"]["template"]["spec"]


def container_of(**sections: dict[str, Any]) -> dict[str, Any]:
    return pod_of(**sections)["containers"][0]


@pytest.mark.parametrize("sections", SHAPES.values(), ids=SHAPES.keys())
def test_the_pod_keeps_the_restricted_profile(sections):
    assert violations(pod_of(**sections)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["securityContext", "runAsNonRoot"], None),
        (["securityContext", "seccompProfile"], None),
        (["hostNetwork"], True),
        (["volumes", 0], {"name": "tmp", "hostPath": {"path": "/"}}),
        (["containers", 0, "securityContext", "allowPrivilegeEscalation"], None),
        (["containers", 0, "securityContext", "capabilities"], {"drop": []}),
        (["containers", 0, "securityContext", "privileged"], True),
        (["containers", 0, "ports", 0], {"containerPort": 8500, "hostPort": 8500}),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, list) else "",
)
def test_the_profile_check_sees_each_breach(path, value):
    pod = copy.deepcopy(pod_of())
    pod["containers"][0]["securityContext"].pop(
        "runAsNonRoot"
    )  # the pod's own setting stands for the container
    assert violations(pod) == []
    *where, last = path
    place = pod
    for step in where:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    assert len(violations(pod)) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("sections", STACKS.values(), ids=STACKS.keys())
def test_every_object_fits_the_schemas_of_kubernetes(sections, version):
    objects = [each for each in deploy(**sections).resources if each.type.startswith("kubernetes:")]
    assert len(objects) >= 5
    for each in objects:
        if each.kind == "ResourceClaimTemplate" and version in BEFORE_CLAIMS:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the validator's own imports are deprecated
            kubernetes_validate.validate(each.inputs, version, strict=True)


def test_the_root_is_read_only_and_one_sized_folder_is_writable():
    pod = pod_of(resources={"scratchMib": 64})
    container = pod["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]


def test_no_token_and_no_service_variables_enter_the_pod():
    pod = pod_of()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False


def test_memory_is_reserved_in_full_and_the_cpu_is_not_capped():
    resources = container_of(resources={"cpuMillicores": 750, "memoryMib": 2048, "scratchMib": 64})[
        "resources"
    ]
    assert resources["requests"] == {"cpu": "750m", "memory": "2048Mi", "ephemeral-storage": "64Mi"}
    assert resources["limits"] == {"memory": "2048Mi", "ephemeral-storage": "64Mi"}


def test_a_pod_without_a_gpu_sees_none():
    assert {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in container_of()["env"]


def test_a_pod_with_gpus_asks_tolerates_and_chooses():
    pod = pod_of(gpu={"count": 2, "product": "NVIDIA-A100", "runtimeClass": "nvidia"})
    container = pod["containers"][0]
    assert (
        container["resources"]["limits"]["nvidia.com/gpu"]
        == container["resources"]["requests"]["nvidia.com/gpu"]
        == "2"
    )
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]
    assert pod["runtimeClassName"] == "nvidia"
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    assert terms == [
        {"matchExpressions": [{"key": "nvidia.com/gpu.product", "operator": "In", "values": ["NVIDIA-A100"]}]}
    ]
    assert "NVIDIA_VISIBLE_DEVICES" not in {each["name"] for each in container["env"]}


def test_the_pods_of_a_lost_node_are_given_up_after_half_a_minute():
    borne = {each["key"]: each for each in pod_of()["tolerations"]}
    for condition in ("not-ready", "unreachable"):
        toleration = borne[f"node.kubernetes.io/{condition}"]
        assert (toleration["effect"], toleration["tolerationSeconds"]) == ("NoExecute", 30)


@pytest.mark.parametrize(
    ("spread", "on_hosts"), [("preferred", "ScheduleAnyway"), ("required", "DoNotSchedule")]
)
def test_pods_of_one_revision_are_spread(spread, on_hosts):
    zone, host = pod_of(rollout={"spread": spread})["topologySpreadConstraints"]
    assert (zone["topologyKey"], zone["whenUnsatisfiable"]) == (
        "topology.kubernetes.io/zone",
        "ScheduleAnyway",
    )
    assert (host["topologyKey"], host["whenUnsatisfiable"]) == ("kubernetes.io/hostname", on_hosts)
    assert zone["matchLabelKeys"] == host["matchLabelKeys"] == ["pod-template-hash"]


def test_the_environment_is_what_the_server_reads_and_sorted():
    names = [each["name"] for each in container_of(server={"settings": {"max_batch_rows": 128}})["env"]]
    assert names == sorted(names)
    values = {
        each["name"]: each["value"]
        for each in container_of(server={"settings": {"max_batch_rows": 128}})["env"]
    }
    assert values["TFSP_MAX_BATCH_ROWS"] == "128"
    assert values["TFSP_MODEL_BASE_PATH"] == "/models/mnist"


def test_liveness_never_asks_for_the_model():
    container = container_of()
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "monitoring"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "monitoring"}
    assert container["startupProbe"]["httpGet"] == {"path": "/readyz", "port": "monitoring"}

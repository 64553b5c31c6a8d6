"""A stack that would not fit into its quota is refused in preview, by arithmetic that counts what a rollout starts."""

from typing import Any

import pulumi
import pytest

from tests.components.test_platform import deploy

SIZE = {"resources": {"cpuMillicores": 500, "memoryMib": 1_024}, "autoscaling": {"maxReplicas": 3}}
GPU = {"gpu": {"count": 2, "available": 100}}


def test_a_stack_without_limits_has_no_quota():
    assert deploy().all("ResourceQuota") == []


def test_the_quota_is_what_the_stack_may_ask_for():
    quota = {"pods": 4, "cpuCores": 2, "memoryGib": 4, "gpus": 8}
    hard = deploy(quota=quota, **SIZE, **GPU).one("ResourceQuota").inputs["spec"]["hard"]
    assert hard == {
        "pods": "4",
        "requests.cpu": "2",
        "requests.memory": "4Gi",
        "requests.nvidia.com/gpu": "8",
    }


def test_claimed_gpus_are_counted_by_their_class():
    gpu = {"gpu": {"count": 1, "deviceClass": "gpu.nvidia.com"}}
    hard = deploy(quota={"gpus": 9}, **gpu).one("ResourceQuota").inputs["spec"]["hard"]
    assert hard == {"gpu.nvidia.com.deviceclass.resource.k8s.io/devices": "9"}


TOO_SMALL = {
    "pods": ({"pods": 3}, {}, "quota.pods is 3, but at their most pods the models need 4 (pods)"),
    "cores": (
        {"cpuCores": 1},
        {},
        "quota.cpuCores is 1, but at their most pods the models need 2 (requests.cpu)",
    ),
    "memory": ({"memoryGib": 3}, {}, "quota.memoryGib is 3, but at their most pods the models need 4"),
    "gpus": (
        {"gpus": 7},
        GPU,
        "quota.gpus is 7, but at their most pods the models need 8 (requests.nvidia.com/gpu)",
    ),
    "two models": ({"pods": 7}, {"models": {"a": {}, "b": {}}}, "the models need 8 (pods)"),
    "a canary": (
        {"pods": 7},
        {
            "canary": {"source": "build/next", "weightPercent": 50},
            "autoscaling": {"minReplicas": 3, "maxReplicas": 3},
        },
        "the models need 8 (pods)",
    ),
}


@pytest.mark.parametrize(("quota", "sections", "words"), TOO_SMALL.values(), ids=TOO_SMALL.keys())
def test_one_less_than_the_most_pods_need_is_refused(
    quota: dict[str, int], sections: dict[str, Any], words: str
):
    shape = {**SIZE, **sections}
    with pytest.raises(pulumi.RunError) as refused:
        deploy(quota=quota, **shape)
    assert words in str(refused.value)
    assert deploy(quota={key: most + 1 for key, most in quota.items()}, **shape).one("ResourceQuota")

"""Two hundred models, declared by ServingPlatform itself: what is applied here is what `pulumi up` would send, but for the images.

The program runs against a recorder in place of the engine, and the objects for Kubernetes are taken from it. Network policies and
autoscalers are left out: this is about placing pods, and both work on pods that answer.
"""

from dataclasses import dataclass
from typing import Any

from components import platform
from tests.components import examples
from tests.components.declared import declare
from tests.e2e.scale.manifests import manifests as objects

MODELS = 200
SMALL = {"cpuMillicores": 500, "memoryMib": 1024}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What one kind of model asks for."""

    pool: str
    gpus: int
    sections: dict[str, Any]


def wish(number: int) -> Wish:
    """Return what model `number` asks for: of ten, six an L4, three a slice of an A100, and one four H100 for each pod."""
    if number % 10 < 6:
        return Wish(pool="l4", gpus=1, sections=_gpu("NVIDIA-L4", "nvidia.com/gpu", 1))
    if number % 10 < 9:
        return Wish(pool="a100", gpus=1, sections=_gpu("NVIDIA-A100-SXM4-40GB", "nvidia.com/mig-3g.20gb", 1))
    return Wish(pool="h100", gpus=4, sections=_gpu("NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu", 4))


def replicas(number: int) -> int:
    """Return between 2 and 4: fewer than there are zones, as many, and more."""
    return 2 + number % 3


def name(number: int) -> str:
    return f"model-{number:03d}"


def two_hundred_models(namespace: str) -> list[dict[str, Any]]:
    models = {
        name(number): {**wish(number).sections, "server": {"replicas": replicas(number)}}
        for number in range(MODELS)
    }
    return manifests(namespace, models=models)


def manifests(namespace: str, *, version: int = 7, **sections: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the Kubernetes objects of a stack."""
    fixed = {
        "cluster": {"namespace": namespace},
        "autoscaling": {"enabled": False},
        "exposure": {"networkPolicies": False},
        "resources": SMALL,
    }
    configuration = examples.config(**fixed, **sections)
    artifacts = {
        each.model.name: examples.artifact(name=each.model.name, version=version)
        for each in configuration.served
    }

    def program() -> None:
        args = platform.ServingPlatformArgs(
            config=configuration, artifacts=artifacts, contracts=dict.fromkeys(artifacts, "{}")
        )
        platform.ServingPlatform("serving", args)

    return objects(declare(program).resources)


def _gpu(product: str, resource: str, count: int) -> dict[str, Any]:
    return {"gpu": {"count": count, "product": product, "resource": resource}}

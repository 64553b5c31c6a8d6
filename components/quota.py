"""The stack's quota, and whether its models fit into it at their most pods: said in preview, where the cluster would say it in a rollout.

A pod over quota is refused when it is created, by a controller, minutes after `pulumi up` began; an autoscaler over quota stops growing
just when load is highest. So the sum is made here, of every model's most pods, its canary's, and the one more that a rollout starts.
"""

from collections import Counter
from typing import Final

from components.config import GpuConfig, PlatformConfig, QuotaConfig, ServedModel
from components.errors import ConfigError
from components.plan import canary_reserve, pod_resources, replica_bounds
from components.takeover import takeover

_PODS: Final = "pods"
_CPU: Final = "requests.cpu"
_MEMORY: Final = "requests.memory"
_KEYS: Final = {_PODS: "quota.pods", _CPU: "quota.cpuCores", _MEMORY: "quota.memoryGib"}
_UNITS: Final = {_PODS: 1, _CPU: 1_000, _MEMORY: 1_024}
"""Of a demand, in one of the quota: thousandths in a core, MiB in a GiB."""


def check_quota(config: PlatformConfig) -> None:
    """Raise ConfigError for the first resource of which the models need more than the stack may have."""
    needed = sum((_demand(served) for served in config.served), Counter[str]())
    for resource, most in _limits(config).items():
        unit = _UNITS.get(resource, 1)
        if needed[resource] > most * unit:
            key = _KEYS.get(resource, "quota.gpus")
            raise ConfigError(
                f"{key} is {most}, but at their most pods the models need {needed[resource] / unit:g} ({resource}), with canaries and "
                "the pods that a rollout starts beside the old ones; raise it, or lower autoscaling.maxReplicas"
            )


def quota(config: PlatformConfig) -> dict[str, str]:
    """Return the `hard` limits of the namespace's ResourceQuota; empty where the stack has none."""
    suffixes = {_MEMORY: "Gi"}
    return {resource: f"{most}{suffixes.get(resource, '')}" for resource, most in _limits(config).items()}


def _limits(config: PlatformConfig) -> dict[str, int]:
    asked: QuotaConfig = config.quota
    devices = {_device(served.gpu): asked.gpus for served in config.served if served.gpu.count}
    limits = {_PODS: asked.pods, _CPU: asked.cpu_cores, _MEMORY: asked.memory_gib, **devices}
    return {resource: most for resource, most in limits.items() if most}


def _demand(served: ServedModel) -> Counter[str]:
    bounds = (replica_bounds(served)[1], canary_reserve(served))
    pods = sum(most + takeover(served).max_surge for most in bounds if most)
    cpu_millicores, memory_mib = pod_resources(served)
    return Counter(
        {
            _PODS: pods,
            _CPU: pods * cpu_millicores,
            _MEMORY: pods * memory_mib,
            _device(served.gpu): pods * served.gpu.count,
        }
    )


def _device(gpu: GpuConfig) -> str:
    # Kubernetes documentation, "Resource Quotas": extended resources by `requests.`, claimed devices by their class.
    return (
        f"{gpu.device_class}.deviceclass.resource.k8s.io/devices"
        if gpu.device_class
        else f"requests.{gpu.resource}"
    )

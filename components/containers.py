"""What every container of this house is given, whatever runs in it: its share of the node, no privileges, and a word on GPUs.

A container says which GPUs it may see, because an image that sets NVIDIA_VISIBLE_DEVICES would see all of them otherwise.
"""

from typing import Final

from pulumi_kubernetes.core.v1 import (
    CapabilitiesArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    PodSecurityContextArgs,
    ResourceClaimArgs,
    ResourceRequirementsArgs,
    SeccompProfileArgs,
    SecurityContextArgs,
    VolumeArgs,
)

from components.config import GpuConfig, ResourcesConfig

SCRATCH: Final = "/tmp"  # noqa: S108 - the pod's own empty volume
GPU_CLAIM: Final = "gpu"
"""Name of the claim within a pod."""
USER_ID: Final = 65_532
"""`nonroot` of the distroless images: above 10000, so it is nobody on the node."""


def container_resources(resources: ResourcesConfig, gpu: GpuConfig) -> ResourceRequirementsArgs:
    """Return requests and limits of one container, GPUs included."""
    fixed = {"memory": f"{resources.memory_mib}Mi", "ephemeral-storage": f"{resources.scratch_mib}Mi"}
    devices = {gpu.resource: str(gpu.count)} if gpu.count and not gpu.device_class else {}
    return ResourceRequirementsArgs(
        # Memory request = limit: what a pod may use is what was set aside for it. No CPU limit: a quota would freeze the event loop
        # and the batch threads together for the rest of each 100 ms period, just when load is highest.
        requests={"cpu": f"{resources.cpu_millicores}m", **fixed, **devices},
        limits={**fixed, **devices},
        claims=[ResourceClaimArgs(name=GPU_CLAIM)] if gpu.device_class else None,
    )


def gpu_variables(gpu: GpuConfig) -> dict[str, str]:
    """Return the variables that show a container its GPUs, or none."""
    return (
        {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"} if gpu.count else {"NVIDIA_VISIBLE_DEVICES": "void"}
    )


def environment(variables: dict[str, str]) -> list[EnvVarArgs]:
    """Return the variables in the order of their names, so that equal ones are an equal pod."""
    return [EnvVarArgs(name=name, value=variables[name]) for name in sorted(variables)]


def scratch(name: str, mebibytes: int) -> VolumeArgs:
    """Return an empty volume of a pod, with a limit."""
    return VolumeArgs(name=name, empty_dir=EmptyDirVolumeSourceArgs(size_limit=f"{mebibytes}Mi"))


def pod_security() -> PodSecurityContextArgs:
    """Return who a pod runs as: nobody."""
    return PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=USER_ID,
        run_as_group=USER_ID,
        fs_group=USER_ID,
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> SecurityContextArgs:
    """Return what a container may do: nothing beyond its process, and no writing into its image."""
    return SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        run_as_non_root=True,
        capabilities=CapabilitiesArgs(drop=["ALL"]),
    )

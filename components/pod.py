"""The pod of a model server, as pure functions from plain values to a pod template.

It holds the restricted Pod Security profile and a little more: no token, no writable root, no service variables, no CPU limit. Every
container says which GPUs it may see, because an image that sets NVIDIA_VISIBLE_DEVICES would see all of them otherwise.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    AffinityArgs,
    CapabilitiesArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    LocalObjectReferenceArgs,
    NodeAffinityArgs,
    NodeSelectorArgs,
    NodeSelectorRequirementArgs,
    NodeSelectorTermArgs,
    PodResourceClaimArgs,
    PodSecurityContextArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ResourceClaimArgs,
    ResourceRequirementsArgs,
    SeccompProfileArgs,
    SecurityContextArgs,
    TolerationArgs,
    TopologySpreadConstraintArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

from components import health, naming
from components.config import GpuConfig, ResourcesConfig
from serving.settings import ServingSettings

CONTAINER: Final = "server"
_USER_ID: Final = 65_532
"""`nonroot` of the distroless images: above 10000, so it is nobody on the node."""
_NODE_LOSS_SECONDS: Final = 30
"""Kubernetes' default leaves pods of a lost node in place for 300 s; a stateless server is better started elsewhere."""
_GPU_CLAIM: Final = "gpu"
_GPU_TAINT: Final = "nvidia.com/gpu"
_GPU_PRODUCT_LABEL: Final = "nvidia.com/gpu.product"


@dataclass(frozen=True, kw_only=True)
class PodArgs:
    """One pod that serves one version of one model."""

    instance: str
    """DNS label of the Deployment."""
    model: str
    """DNS label of the model; its canary's Deployment has another one."""
    image: pulumi.Input[str]
    """Model image by digest."""
    version: int
    """Version that the image holds."""
    model_digest: pulumi.Input[str]
    """Identity of the servable; a new one is a new pod template."""
    service_account: pulumi.Input[str]
    """Name of a service account without rights."""
    settings: ServingSettings
    """Settings of the API layer."""
    load_seconds: int
    """Longest time from container start to ready."""
    termination_grace_seconds: int
    """From deletion to SIGKILL."""
    resources: ResourcesConfig
    gpu: GpuConfig
    track: str = naming.STABLE
    """`stable` or `canary`."""
    spread: str = "preferred"
    """`required`: never two pods on one host; `preferred`: where possible."""
    priority_class: str = ""
    image_pull_secrets: tuple[str, ...] = ()


def pod_template(args: PodArgs) -> PodTemplateSpecArgs:
    """Return the template; equal args give equal templates, so a second `pulumi up` changes nothing."""
    return PodTemplateSpecArgs(
        metadata=ObjectMetaArgs(
            labels=naming.pod_labels(args.instance, version=args.version, model=args.model, track=args.track),
            annotations={naming.DIGEST_ANNOTATION: args.model_digest},
        ),
        spec=PodSpecArgs(
            service_account_name=args.service_account,
            automount_service_account_token=False,
            enable_service_links=False,
            termination_grace_period_seconds=args.termination_grace_seconds,
            priority_class_name=args.priority_class or None,
            runtime_class_name=args.gpu.runtime_class or None,
            image_pull_secrets=[LocalObjectReferenceArgs(name=name) for name in args.image_pull_secrets]
            or None,
            security_context=pod_security(),
            tolerations=_tolerations(args.gpu),
            affinity=_affinity(args.gpu),
            resource_claims=_resource_claims(args),
            topology_spread_constraints=_spread(args.instance, args.spread),
            containers=[_container(args)],
            volumes=[
                VolumeArgs(
                    name="tmp",
                    empty_dir=EmptyDirVolumeSourceArgs(size_limit=f"{args.resources.scratch_mib}Mi"),
                )
            ],
        ),
    )


def claim_template(args: PodArgs) -> dict[str, Any]:
    """Return the spec of the ResourceClaimTemplate that the pods' GPUs are claimed by (`resource.k8s.io/v1`)."""
    exactly = {
        "deviceClassName": args.gpu.device_class,
        "allocationMode": "ExactCount",
        "count": args.gpu.count,
    }
    return {"spec": {"devices": {"requests": [{"name": _GPU_CLAIM, "exactly": exactly}]}}}


def claim_template_name(args: PodArgs) -> str:
    """Return a name that follows from the template's content: a template cannot be changed, and pods need the old one until they go."""
    content = json.dumps(claim_template(args), sort_keys=True)
    return f"{args.instance}-{hashlib.sha256(content.encode()).hexdigest()[:6]}"


def _resource_claims(args: PodArgs) -> list[PodResourceClaimArgs] | None:
    if not args.gpu.device_class:
        return None
    return [PodResourceClaimArgs(name=_GPU_CLAIM, resource_claim_template_name=claim_template_name(args))]


def _container(args: PodArgs) -> ContainerArgs:
    return ContainerArgs(
        name=CONTAINER,
        image=args.image,
        # An image named by digest never changes under its name: a node that has it need not ask the registry.
        image_pull_policy="IfNotPresent",
        env=_environment(args),
        ports=[
            ContainerPortArgs(name="grpc", container_port=args.settings.port),
            ContainerPortArgs(name="rest", container_port=args.settings.rest_api_port),
            ContainerPortArgs(name=health.MONITORING_PORT_NAME, container_port=args.settings.monitoring_port),
        ],
        resources=container_resources(args.resources, args.gpu),
        security_context=container_security(),
        startup_probe=health.startup_probe(args.load_seconds),
        readiness_probe=health.readiness_probe(),
        liveness_probe=health.liveness_probe(),
        lifecycle=health.lifecycle(),
        # Pulumi prints the termination message of a crash loop; with this it is the end of the log.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[VolumeMountArgs(name="tmp", mount_path="/tmp")],  # noqa: S108 - the pod's own empty volume
    )


def _environment(args: PodArgs) -> list[EnvVarArgs]:
    gpu_variables = (
        {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
        if args.gpu.count
        else {"NVIDIA_VISIBLE_DEVICES": "void"}
    )
    variables = {"HOME": "/tmp", **gpu_variables, **args.settings.to_env()}  # noqa: S108
    return [EnvVarArgs(name=name, value=variables[name]) for name in sorted(variables)]


def container_resources(resources: ResourcesConfig, gpu: GpuConfig) -> ResourceRequirementsArgs:
    """Return requests and limits of a container that does the work of its pod."""
    fixed = {"memory": f"{resources.memory_mib}Mi", "ephemeral-storage": f"{resources.scratch_mib}Mi"}
    devices = {gpu.resource: str(gpu.count)} if gpu.count and not gpu.device_class else {}
    return ResourceRequirementsArgs(
        # Memory request = limit: what a pod may use is what was set aside for it. No CPU limit: a quota would freeze the event loop
        # and the batch threads together for the rest of each 100 ms period, just when load is highest.
        requests={"cpu": f"{resources.cpu_millicores}m", **fixed, **devices},
        limits={**fixed, **devices},
        claims=[ResourceClaimArgs(name=_GPU_CLAIM)] if gpu.device_class else None,
    )


def pod_security() -> PodSecurityContextArgs:
    """Return what the restricted profile asks of a pod: nobody of the node, with the runtime's system call filter."""
    return PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=_USER_ID,
        run_as_group=_USER_ID,
        fs_group=_USER_ID,
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> SecurityContextArgs:
    """Return what the restricted profile asks of every container, and a root file system that nothing can be left in."""
    return SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        run_as_non_root=True,
        capabilities=CapabilitiesArgs(drop=["ALL"]),
    )


def _tolerations(gpu: GpuConfig) -> list[TolerationArgs]:
    lost = [
        TolerationArgs(
            key=f"node.kubernetes.io/{condition}",
            operator="Exists",
            effect="NoExecute",
            toleration_seconds=_NODE_LOSS_SECONDS,
        )
        for condition in ("not-ready", "unreachable")
    ]
    on_gpu_nodes = (
        [TolerationArgs(key=_GPU_TAINT, operator="Exists", effect="NoSchedule")] if gpu.count else []
    )
    return [*lost, *on_gpu_nodes]


def _affinity(gpu: GpuConfig) -> AffinityArgs | None:
    if not gpu.product:
        return None
    term = NodeSelectorTermArgs(
        match_expressions=[
            NodeSelectorRequirementArgs(key=_GPU_PRODUCT_LABEL, operator="In", values=[gpu.product])
        ]
    )
    selector = NodeSelectorArgs(node_selector_terms=[term])
    return AffinityArgs(
        node_affinity=NodeAffinityArgs(required_during_scheduling_ignored_during_execution=selector)
    )


def _spread(instance: str, spread: str) -> list[TopologySpreadConstraintArgs]:
    on_hosts = "DoNotSchedule" if spread == "required" else "ScheduleAnyway"
    rules = {"topology.kubernetes.io/zone": "ScheduleAnyway", "kubernetes.io/hostname": on_hosts}
    return [
        TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=key,
            when_unsatisfiable=otherwise,
            label_selector=LabelSelectorArgs(match_labels=naming.selector(instance)),
            # Counted per revision: pods of the old one must not push new pods onto one host.
            match_label_keys=["pod-template-hash"],
            node_taints_policy="Honor",
        )
        for key, otherwise in rules.items()
    ]

"""The pod of a model server, as pure functions from plain values to a pod template.

It holds the restricted Pod Security profile and a little more: no token, no writable root, no service variables, no CPU limit. The API
layer is its only container, or has TensorFlow Serving as a native sidecar.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    AffinityArgs,
    ContainerArgs,
    ContainerPortArgs,
    EnvVarArgs,
    LocalObjectReferenceArgs,
    NodeAffinityArgs,
    NodeSelectorArgs,
    NodeSelectorRequirementArgs,
    NodeSelectorTermArgs,
    PodResourceClaimArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    TolerationArgs,
    TopologySpreadConstraintArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

from components import health, naming, secret_files, upstream
from components.config import GpuConfig, ResourcesConfig
from components.containers import (
    GPU_CLAIM,
    SCRATCH,
    container_resources,
    container_security,
    environment,
    gpu_variables,
    pod_security,
    scratch,
)
from components.delivery import Delivery
from components.upstream import UpstreamArgs
from serving.settings import ServingSettings

CONTAINER: Final = "server"
_NODE_LOSS_SECONDS: Final = 30
"""Kubernetes' default leaves pods of a lost node in place for 300 s; a stateless server is better started elsewhere."""
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
    settings: ServingSettings
    """Settings of the API layer."""
    service_account: pulumi.Input[str] = "default"
    """Name of a service account; its token is not mounted."""
    load_seconds: int = 20
    """Longest time from container start to ready."""
    termination_grace_seconds: int = health.Lifecycle().termination_grace_seconds
    """From deletion to SIGKILL."""
    resources: ResourcesConfig = field(default_factory=ResourcesConfig)
    """What the API layer's container asks for; TensorFlow runs in it, unless `upstream` is set."""
    gpu: GpuConfig = field(default_factory=GpuConfig)
    """GPUs of the pod: of the container that TensorFlow runs in."""
    secret_files: Mapping[str, str] = field(default_factory=dict)
    """Files of Secrets that the API layer reads: `secret/key` by flag."""
    upstream: UpstreamArgs | None = None
    """TensorFlow Serving beside the API layer, where that is what runs the model."""
    delivery: Delivery | None = None
    """How the version comes where it is no layer of the image."""
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
            init_containers=_init_containers(args) or None,
            containers=[_container(args)],
            volumes=[
                scratch("tmp", args.resources.scratch_mib),
                *secret_files.volumes(args.secret_files),
                *(upstream.volumes(args.instance, args.upstream) if args.upstream else ()),
                *(args.delivery.volumes() if args.delivery else ()),
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
    return {"spec": {"devices": {"requests": [{"name": GPU_CLAIM, "exactly": exactly}]}}}


def claim_template_name(args: PodArgs) -> str:
    """Return a name that follows from the template's content: a template cannot be changed, and pods need the old one until they go."""
    content = json.dumps(claim_template(args), sort_keys=True)
    return f"{args.instance}-{hashlib.sha256(content.encode()).hexdigest()[:6]}"


def _resource_claims(args: PodArgs) -> list[PodResourceClaimArgs] | None:
    if not args.gpu.device_class:
        return None
    return [PodResourceClaimArgs(name=GPU_CLAIM, resource_claim_template_name=claim_template_name(args))]


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
        resources=container_resources(_with_room(args), _own_gpu(args)),
        security_context=container_security(),
        startup_probe=health.startup_probe(args.load_seconds),
        readiness_probe=health.readiness_probe(),
        liveness_probe=health.liveness_probe(),
        lifecycle=health.lifecycle(),
        # Pulumi prints the termination message of a crash loop; with this it is the end of the log.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[
            VolumeMountArgs(name="tmp", mount_path=SCRATCH),
            *secret_files.mounts(args.secret_files),
            *(upstream.gateway_mounts() if args.upstream else ()),
            *(args.delivery.mounts() if args.delivery else ()),
        ],
    )


def _environment(args: PodArgs) -> list[EnvVarArgs]:
    return environment({"HOME": SCRATCH, **gpu_variables(_own_gpu(args)), **args.settings.to_env()})


def _init_containers(args: PodArgs) -> list[ContainerArgs]:
    fetching = args.delivery.init_containers() if args.delivery else []
    return [*fetching, *([upstream.sidecar(args.upstream)] if args.upstream else ())]


def _with_room(args: PodArgs) -> ResourcesConfig:
    """Return the container's resources with room for what is fetched: an empty volume counts as its pod's disk."""
    if args.delivery is None:
        return args.resources
    return replace(args.resources, scratch_mib=args.resources.scratch_mib + args.delivery.scratch_mib)


def _own_gpu(args: PodArgs) -> GpuConfig:
    """Return the GPUs of the API layer's container: none where TensorFlow runs beside it."""
    return GpuConfig() if args.upstream else args.gpu


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

"""The pod of a training run, as pure functions from plain values to a pod template: train, then publish.

It holds the restricted profile as serving pods do. It never shares a node pool with pods that serve, unless asked: a training that fills
a GPU's memory bus, a disk or a network card is felt by every request on that node, and by no metric of either. The rule is symmetric: no
serving pod is placed on a pool where such a run is; give serving pods a PriorityClass above training's if both may want one pool.
"""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    AffinityArgs,
    ContainerArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    LocalObjectReferenceArgs,
    NodeAffinityArgs,
    NodeSelectorArgs,
    NodeSelectorRequirementArgs,
    NodeSelectorTermArgs,
    PodAffinityTermArgs,
    PodAntiAffinityArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    TolerationArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

from components import naming
from components.config import GpuConfig, ResourcesConfig
from components.config.training_sections import TrainingConfig
from components.containers import container_resources, container_security, pod_security
from components.model_repository import RepositoryAccess

TRAIN: Final = "train"
PUBLISH: Final = "publish"
_SCRATCH: Final = "/tmp"  # noqa: S108 - the pod's own empty volume
_EXPORTS: Final = "/export"
_GPU_TAINT: Final = "nvidia.com/gpu"
_GPU_PRODUCT_LABEL: Final = "nvidia.com/gpu.product"
_PUBLISHER: Final = ResourcesConfig(cpu_millicores=250, memory_mib=512, scratch_mib=64)
"""Publishing reads and sends files piece by piece: it needs little, whatever the model's size."""
_GRACE_SECONDS: Final = 120
"""From an eviction to SIGKILL: time for a training loop that listens for SIGTERM to write a checkpoint."""


@dataclass(frozen=True, kw_only=True)
class TrainingPodArgs:
    """One pod that trains and publishes one version of one model."""

    instance: str
    """DNS label of the model."""
    service_account: pulumi.Input[str]
    """Name of a service account without rights."""
    training: TrainingConfig
    repository: RepositoryAccess
    resources: ResourcesConfig
    gpu: GpuConfig
    image_pull_secrets: tuple[str, ...] = ()


def training_pod(args: TrainingPodArgs) -> PodTemplateSpecArgs:
    """Return the template; equal args give equal templates, so a second `pulumi up` starts nothing."""
    secrets = [LocalObjectReferenceArgs(name=name) for name in args.image_pull_secrets]
    return PodTemplateSpecArgs(
        metadata=ObjectMetaArgs(labels=naming.training_labels(args.instance)),
        spec=PodSpecArgs(
            # Each attempt is a new pod, whose logs stay beside the others'.
            restart_policy="Never",
            service_account_name=args.service_account,
            automount_service_account_token=False,
            enable_service_links=False,
            termination_grace_period_seconds=_GRACE_SECONDS,
            runtime_class_name=args.gpu.runtime_class or None,
            image_pull_secrets=secrets or None,
            security_context=pod_security(),
            tolerations=_tolerations(args.gpu),
            affinity=_affinity(args),
            init_containers=[_train(args)],
            containers=[_publish(args)],
            volumes=[
                _empty("tmp", args.resources.scratch_mib),
                _empty("export", args.resources.scratch_mib),
                *args.repository.volumes(is_read_only=False),
            ],
        ),
    )


def _train(args: TrainingPodArgs) -> ContainerArgs:
    gpus = (
        {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
        if args.gpu.count
        else {"NVIDIA_VISIBLE_DEVICES": "void"}
    )
    variables = {
        "HOME": _SCRATCH,
        "EXPORT_DIR": _EXPORTS,
        "MODEL_NAME": args.training.model,
        "MODEL_VERSION": str(args.training.version),
        **gpus,
    }
    return ContainerArgs(
        name=TRAIN,
        image=args.training.image,
        image_pull_policy="IfNotPresent",
        command=list(args.training.command) or None,
        env=_environment(variables),
        resources=container_resources(args.resources, args.gpu),
        security_context=container_security(),
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=_own_mounts(),
    )


def _publish(args: TrainingPodArgs) -> ContainerArgs:
    training = args.training
    labels = [word for label in training.labels for word in ("--label", label)]
    version_path = f"{_EXPORTS}/{training.model}/{training.version}"
    verb = ["python3", "-m", "model_export", "publish", version_path, args.repository.address(training.model)]
    return ContainerArgs(
        name=PUBLISH,
        image=training.image,
        image_pull_policy="IfNotPresent",
        # A second attempt whose first one published and was lost before it could say so has nothing left to do.
        command=[*verb, "--if-missing", *labels],
        env=[
            *_environment({"HOME": _SCRATCH, "NVIDIA_VISIBLE_DEVICES": "void"}),
            *args.repository.environment(),
        ],
        resources=container_resources(_PUBLISHER, GpuConfig()),
        security_context=container_security(),
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[*_own_mounts(), *args.repository.mounts(is_read_only=False)],
    )


def _environment(variables: dict[str, str]) -> list[EnvVarArgs]:
    return [EnvVarArgs(name=name, value=variables[name]) for name in sorted(variables)]


def _own_mounts() -> list[VolumeMountArgs]:
    return [
        VolumeMountArgs(name="tmp", mount_path=_SCRATCH),
        VolumeMountArgs(name="export", mount_path=_EXPORTS),
    ]


def _empty(name: str, size_mib: int) -> VolumeArgs:
    return VolumeArgs(name=name, empty_dir=EmptyDirVolumeSourceArgs(size_limit=f"{size_mib}Mi"))


def _tolerations(gpu: GpuConfig) -> list[TolerationArgs] | None:
    # Not those of serving pods: a node that is silent for half a minute does not cost hours of training.
    return [TolerationArgs(key=_GPU_TAINT, operator="Exists", effect="NoSchedule")] if gpu.count else None


def _affinity(args: TrainingPodArgs) -> AffinityArgs | None:
    nodes, others = _nodes(args), None if args.training.beside_serving else _away_from_serving(args)
    return AffinityArgs(node_affinity=nodes, pod_anti_affinity=others) if nodes or others else None


def _nodes(args: TrainingPodArgs) -> NodeAffinityArgs | None:
    wanted = {_GPU_PRODUCT_LABEL: args.gpu.product, args.training.node_pool_label: args.training.node_pool}
    expressions = [
        NodeSelectorRequirementArgs(key=key, operator="In", values=[value])
        for key, value in wanted.items()
        if value
    ]
    if not expressions:
        return None
    selector = NodeSelectorArgs(node_selector_terms=[NodeSelectorTermArgs(match_expressions=expressions)])
    return NodeAffinityArgs(required_during_scheduling_ignored_during_execution=selector)


def _away_from_serving(args: TrainingPodArgs) -> PodAntiAffinityArgs:
    serving = PodAffinityTermArgs(
        topology_key=args.training.node_pool_label,
        label_selector=LabelSelectorArgs(match_labels=naming.serving_pods()),
        namespace_selector=LabelSelectorArgs(),  # of every namespace
    )
    return PodAntiAffinityArgs(required_during_scheduling_ignored_during_execution=[serving])

"""TrainingJob: one run on GPUs that trains one version of a model and publishes it.

Two steps of one pod: `train` runs the team's own image and leaves a version folder in `$EXPORT_DIR/<model>/<version>`, as
`python -m model_export export --base-path $EXPORT_DIR/<model>` does; then `publish` hands it to the repository, whole or not at all. Only
the second knows the repository. A run is named by model and version: the same program again changes nothing, a new number is a new run.
"""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.batch.v1 import (
    Job,
    JobSpecArgs,
    PodFailurePolicyArgs,
    PodFailurePolicyOnExitCodesRequirementArgs,
    PodFailurePolicyOnPodConditionsPatternArgs,
    PodFailurePolicyRuleArgs,
)
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components import naming
from components.config import GpuConfig, ResourcesConfig
from components.config.training_sections import TrainingConfig
from components.errors import ConfigError
from components.model_repository import RepositoryAccess
from components.repository_doors import repository_doors
from components.training_pod import PUBLISH, TrainingPodArgs, training_pod

_QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
# A run takes hours, and may first wait in its queue: `pulumi up` starts it and does not sit beside it. `pulumi.com/skipAwait` would say so
# too, but of a Job's deletion as well (pulumi/pulumi-kubernetes#3154): a replaced run was written onto the one that still went, and was gone with it.
_STARTED_IS_ENOUGH: Final = {"pulumi.com/waitFor": "jsonpath={.metadata.uid}"}
_WRONG_COMMAND_LINE: Final = 2
"""Exit code of `python -m model_export` that no repetition mends."""


@dataclass(frozen=True, kw_only=True)
class TrainingJobArgs:
    """One run in a namespace that exists."""

    namespace: pulumi.Input[str]
    """Namespace to run in; that of the claim, where the repository is a volume."""
    training: TrainingConfig
    """What runs, how often and how long."""
    repository: RepositoryAccess
    """Where the version goes."""
    resources: ResourcesConfig
    """What the training asks of its node."""
    gpu: GpuConfig
    """GPUs of the training."""
    image_pull_secrets: tuple[str, ...] = ()
    """Secrets that open the registry."""

    def __post_init__(self) -> None:
        if self.gpu.device_class:
            raise ConfigError(
                f"gpu.deviceClass is {self.gpu.device_class!r}, but training asks for GPUs by gpu.resource; leave gpu.deviceClass out"
            )


class TrainingJob(pulumi.ComponentResource):
    """A Job, an account of its own without rights, and the way out to the repository."""

    job_name: pulumi.Output[str]
    """Name of the Job, for `kubectl logs job/NAME --all-containers`."""
    published_to: pulumi.Output[str]
    """Base path of the model, in which the version appears when it is done."""

    def __init__(self, name: str, args: TrainingJobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfserving:training_job:TrainingJob", name, None, opts)
        instance = naming.dns_label(args.training.model)
        child = pulumi.ResourceOptions(parent=self)
        metadata = ObjectMetaArgs(
            name=f"{instance}-training", namespace=args.namespace, labels=naming.training_labels(instance)
        )
        account = ServiceAccount(
            f"{name}-account", metadata=metadata, automount_service_account_token=False, opts=child
        )
        repository_doors(name, metadata, naming.training_selector(instance), args.repository, child)
        account_name = account.metadata.apply(lambda made: made.name or "")
        job = Job(
            f"{name}-run", metadata=_metadata(args, instance), spec=_job(args, account_name), opts=child
        )
        self.job_name = job.metadata.apply(lambda made: made.name or "")
        self.published_to = pulumi.Output.from_input(args.repository.address(args.training.model))
        self.register_outputs({"job_name": self.job_name, "published_to": self.published_to})


def _metadata(args: TrainingJobArgs, instance: str) -> ObjectMetaArgs:
    queue = {_QUEUE_LABEL: args.training.queue} if args.training.queue else {}
    return ObjectMetaArgs(
        name=f"{instance}-training-{args.training.version}",
        namespace=args.namespace,
        labels={**naming.training_labels(instance), **queue},
        annotations=_STARTED_IS_ENOUGH,
    )


def _job(args: TrainingJobArgs, account: pulumi.Input[str]) -> JobSpecArgs:
    training = args.training
    return JobSpecArgs(
        completions=1,
        parallelism=1,
        backoff_limit=training.attempts - 1,
        active_deadline_seconds=training.longest_seconds,
        ttl_seconds_after_finished=training.kept_seconds,
        pod_failure_policy=_failures(),
        template=training_pod(
            TrainingPodArgs(
                instance=naming.dns_label(training.model),
                service_account=account,
                training=training,
                repository=args.repository,
                resources=args.resources,
                gpu=args.gpu,
                image_pull_secrets=args.image_pull_secrets,
            )
        ),
    )


def _failures() -> PodFailurePolicyArgs:
    evicted = PodFailurePolicyOnPodConditionsPatternArgs(type="DisruptionTarget", status="True")
    hopeless = PodFailurePolicyOnExitCodesRequirementArgs(
        container_name=PUBLISH, operator="In", values=[_WRONG_COMMAND_LINE]
    )
    return PodFailurePolicyArgs(
        rules=[
            # A node that is drained, or a pod that gives way to serving, is no failure of the training.
            PodFailurePolicyRuleArgs(action="Ignore", on_pod_conditions=[evicted]),
            PodFailurePolicyRuleArgs(action="FailJob", on_exit_codes=hopeless),
        ]
    )

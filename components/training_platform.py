"""TrainingPlatform: a namespace that is closed, the model repository, and one run, for a stack of their own."""

from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components import naming
from components.config import ClusterConfig
from components.config.training_sections import TrainingStackConfig
from components.exposure import default_deny
from components.model_repository import ModelRepository, ModelRepositoryArgs
from components.ownership import only_if_ours, owner_annotation
from components.training_job import TrainingJob, TrainingJobArgs


@dataclass(frozen=True, kw_only=True)
class TrainingPlatformArgs:
    """What a training stack runs."""

    config: TrainingStackConfig
    """Validated configuration."""
    pod_security_version: str = "v1.31"
    """Kubernetes minor version whose restricted profile the namespace enforces."""
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    """Kubeconfig and context of the provider, to ask whose the namespace is; as it stands, the current ones, as a default provider's."""


class TrainingPlatform(pulumi.ComponentResource):
    """Everything of one training stack."""

    repository: pulumi.Output[str]
    """Where versions are published to."""
    job_name: pulumi.Output[str]
    """Name of the run's Job."""
    published_to: pulumi.Output[str]
    """Base path of the model."""

    def __init__(
        self, name: str, args: TrainingPlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tfserving:training_platform:TrainingPlatform", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = _namespace(name, args, child)
        default_deny(name, namespace, child)
        repository_args = ModelRepositoryArgs(namespace=namespace, repository=args.config.repository)
        repository = ModelRepository(f"{name}-repository", repository_args, child)
        job_args = TrainingJobArgs(
            namespace=namespace,
            training=args.config.training,
            repository=repository.access,
            resources=args.config.resources,
            gpu=args.config.gpu,
        )
        job = TrainingJob(f"{name}-{naming.dns_label(args.config.training.model)}", job_args, child)
        self.repository, self.job_name, self.published_to = repository.address, job.job_name, job.published_to
        self.register_outputs(
            {"repository": self.repository, "job_name": self.job_name, "published_to": self.published_to}
        )


def _namespace(name: str, args: TrainingPlatformArgs, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    labels = {**naming.shared_labels(), **naming.restricted_profile(args.pod_security_version)}
    # Its deletion would take the claim with it, whatever the claim's own protection says.
    holds_data = bool(args.config.repository.volume_gib)
    kept = pulumi.ResourceOptions.merge(
        opts,
        pulumi.ResourceOptions(
            protect=holds_data, retain_on_delete=holds_data, hooks=only_if_ours(args.cluster, key="namespace")
        ),
    )
    metadata = ObjectMetaArgs(name=args.config.namespace, labels=labels, annotations=owner_annotation())
    namespace = Namespace(f"{name}-namespace", metadata=metadata, opts=kept)
    return namespace.metadata.apply(lambda made: made.name or "")

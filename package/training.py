"""ModelRepository and TrainingRun, for programs in other languages."""

from typing import NotRequired, TypedDict

import pulumi

from components.config.fields import read_section
from components.config.training_sections import RepositoryConfig, read_training
from components.model_repository import ModelRepository as Repository
from components.model_repository import ModelRepositoryArgs as RepositoryArgs
from components.model_repository import repository_access
from components.training_job import TrainingJob, TrainingJobArgs
from package.blocks import section, sections
from package.inputs import Gpu, Resources, Training
from package.inputs import Repository as RepositoryBlock
from package.refusals import said_plainly


class ModelRepositoryArgs(TypedDict):
    """A repository in a namespace that exists."""

    namespace: pulumi.Input[str]
    """Namespace of the claim."""
    repository: RepositoryBlock
    """Bucket, or size of the volume."""


class ModelRepository(pulumi.ComponentResource):
    """Where finished versions are kept: a bucket that exists, or a protected PersistentVolumeClaim."""

    address: pulumi.Output[str]
    """Where versions are published to."""
    claim: pulumi.Output[str]
    """Name of the PersistentVolumeClaim; empty for a bucket."""

    @said_plainly
    def __init__(
        self, name: str, args: ModelRepositoryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tf-serving:index:ModelRepository", name, None, opts)
        config = read_section(RepositoryConfig, section(args, "repository"), where="repository")
        inner = Repository(
            name,
            RepositoryArgs(namespace=args["namespace"], repository=config),
            pulumi.ResourceOptions(parent=self),
        )
        self.address, self.claim = inner.address, inner.claim
        self.register_outputs({"address": self.address, "claim": self.claim})


class TrainingRunArgs(TypedDict):
    """One run in a namespace that exists."""

    namespace: str
    """Namespace to run in; that of the claim, where the repository is a volume."""
    repository: RepositoryBlock
    """Where the version goes."""
    training: Training
    """What runs, how often and how long."""
    resources: NotRequired[Resources]
    """What the training asks of its node."""
    gpu: NotRequired[Gpu]
    """GPUs of the training."""


class TrainingRun(pulumi.ComponentResource):
    """A Job that trains one version of a model on GPUs and publishes it."""

    job_name: pulumi.Output[str]
    """Name of the Job."""
    published_to: pulumi.Output[str]
    """Base path of the model, in which the version appears when it is done."""

    @said_plainly
    def __init__(self, name: str, args: TrainingRunArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tf-serving:index:TrainingRun", name, None, opts)
        config = read_training(sections(args, "repository", "training", "resources", "gpu"))
        job_args = TrainingJobArgs(
            namespace=args["namespace"],
            training=config.training,
            repository=repository_access(config.repository),
            resources=config.resources,
            gpu=config.gpu,
        )
        job = TrainingJob(name, job_args, pulumi.ResourceOptions(parent=self))
        self.job_name, self.published_to = job.job_name, job.published_to
        self.register_outputs({"job_name": self.job_name, "published_to": self.published_to})

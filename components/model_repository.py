"""ModelRepository: where finished versions stand between training and serving, and how a pod reaches them.

Two homes with one law, as `model_export.repository` has them: a bucket that exists already, which is only referred to, or a volume that is
claimed here. A claim holds data that cannot be made again: it is protected, and stays when the stack is destroyed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    EnvVarArgs,
    KeyToPathArgs,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpecArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    SecretVolumeSourceArgs,
    VolumeArgs,
    VolumeMountArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components import naming
from components.config.training_sections import RepositoryConfig

NAME: Final = "model-repository"
_VOLUME: Final = "repository"
_MOUNT: Final = "/repository"
_CREDENTIALS_VOLUME: Final = "repository-credentials"
_CREDENTIALS_FOLDER: Final = "/var/run/model-repository"
_OWNER_ONLY: Final = 0o440
"""The pod's group may read it: a Secret's files belong to root, and the pod is nobody."""


@dataclass(frozen=True, kw_only=True)
class RepositoryAccess:
    """How a pod reaches the repository: plain pieces of a pod spec."""

    base: str
    """Address below which each model has its base path: `s3://bucket/prefix`, or a folder in the pod."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment of whoever opens it."""
    claim: pulumi.Input[str] = ""
    """PersistentVolumeClaim to mount; empty for a bucket."""
    credentials_secret: str = ""
    """Secret to mount as a file; never variables, which show in dumps."""

    def address(self, model: str) -> str:
        """Return the base path of a model, as `python -m model_export publish` takes it."""
        return f"{self.base.rstrip('/')}/{model}"

    @property
    def is_remote(self) -> bool:
        """Whether the pod must reach out over the network."""
        return self.base.startswith("s3://")

    def environment(self) -> list[EnvVarArgs]:
        """Return the variables of a container that opens the repository."""
        return [EnvVarArgs(name=name, value=self.variables[name]) for name in sorted(self.variables)]

    def volumes(self, *, is_read_only: bool) -> list[VolumeArgs]:
        """Return what the pod must bring."""
        if not self.is_remote:
            source = PersistentVolumeClaimVolumeSourceArgs(claim_name=self.claim, read_only=is_read_only)
            return [VolumeArgs(name=_VOLUME, persistent_volume_claim=source)]
        if not self.credentials_secret:
            return []
        secret = SecretVolumeSourceArgs(
            secret_name=self.credentials_secret,
            items=[KeyToPathArgs(key="credentials", path="credentials")],
            default_mode=_OWNER_ONLY,
        )
        return [VolumeArgs(name=_CREDENTIALS_VOLUME, secret=secret)]

    def mounts(self, *, is_read_only: bool) -> list[VolumeMountArgs]:
        """Return where the container that opens it finds it."""
        if not self.is_remote:
            return [VolumeMountArgs(name=_VOLUME, mount_path=_MOUNT, read_only=is_read_only)]
        if not self.credentials_secret:
            return []
        return [VolumeMountArgs(name=_CREDENTIALS_VOLUME, mount_path=_CREDENTIALS_FOLDER, read_only=True)]


@dataclass(frozen=True, kw_only=True)
class ModelRepositoryArgs:
    """A repository in a namespace that exists."""

    namespace: pulumi.Input[str]
    """Namespace of the claim, and of every pod that mounts it."""
    repository: RepositoryConfig
    """Bucket, or size of the volume."""


class ModelRepository(pulumi.ComponentResource):
    """A claim that outlives the stack, or nothing but the knowledge of a bucket."""

    address: pulumi.Output[str]
    """Where versions are published to, below it one base path for each model."""
    claim: pulumi.Output[str]
    """Name of the PersistentVolumeClaim; empty for a bucket."""
    access: RepositoryAccess
    """How a pod reaches it."""

    def __init__(
        self, name: str, args: ModelRepositoryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tfserving:model_repository:ModelRepository", name, None, opts)
        self.claim = pulumi.Output.from_input("")
        if args.repository.volume_gib:
            claim = _claim(name, args, self)
            self.claim = claim.metadata.apply(lambda made: made.name or "")
        self.access = repository_access(args.repository, claim=self.claim)
        self.address = pulumi.Output.from_input(self.access.base)
        self.register_outputs({"address": self.address, "claim": self.claim})


def repository_access(repository: RepositoryConfig, *, claim: pulumi.Input[str] = NAME) -> RepositoryAccess:
    """Return how a pod reaches a repository that another stack may have declared."""
    if not repository.bucket:
        return RepositoryAccess(base=_MOUNT, claim=claim)
    variables = {
        "AWS_ENDPOINT_URL": repository.endpoint,
        "AWS_REGION": repository.region,
        "AWS_SHARED_CREDENTIALS_FILE": f"{_CREDENTIALS_FOLDER}/credentials"
        if repository.credentials_secret
        else "",
    }
    return RepositoryAccess(
        base=repository.bucket,
        variables={name: value for name, value in variables.items() if value},
        credentials_secret=repository.credentials_secret,
    )


def _claim(name: str, args: ModelRepositoryArgs, parent: pulumi.Resource) -> PersistentVolumeClaim:
    size = {"storage": f"{args.repository.volume_gib}Gi"}
    return PersistentVolumeClaim(
        f"{name}-claim",
        metadata=ObjectMetaArgs(
            name=NAME,
            namespace=args.namespace,
            labels=naming.shared_labels(),
            # Many storage classes bind a claim when its first pod comes: Pulumi would wait for it until then.
            annotations={"pulumi.com/skipAwait": "true"},
        ),
        spec=PersistentVolumeClaimSpecArgs(
            # Training writes while servers read, on nodes of different pools.
            access_modes=["ReadWriteMany"],
            storage_class_name=args.repository.storage_class or None,
            resources=VolumeResourceRequirementsArgs(requests=size),
        ),
        # Protected: a change that would replace the claim is an error in preview. Retained: forgetting the stack deletes no model.
        opts=pulumi.ResourceOptions(parent=parent, protect=True, retain_on_delete=True),
    )

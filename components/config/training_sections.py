"""The keys of a training stack: where finished versions are kept, and the job that makes one.

Training has a stack of its own: a model is trained once and served for months, and neither should wait for the other. What both share is
the repository, and the `resources` and `gpu` sections that a served model has as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from components.config import bucket_keys
from components.config.fields import DNS_LABEL, check_limits, did_you_mean, read_section, required, setting
from components.config.model_sections import GpuConfig, ResourcesConfig
from components.errors import ConfigError

_WEEK_SECONDS: Final = 604_800
_BY_DIGEST: Final = (r"\S+@sha256:[0-9a-f]{64}", "an image by digest, NAME@sha256:…")
_NODE_LABEL: Final = (
    r"([a-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?",
    "a node label such as `cloud.google.com/gke-nodepool`",
)


@dataclass(frozen=True, kw_only=True)
class RepositoryConfig:
    """Where finished versions are kept: a bucket that exists, or a volume that is claimed."""

    SECTION: ClassVar[str] = "repository"

    bucket: str = bucket_keys.bucket(
        "Bucket and prefix below which each model has its base path, such as s3://models/team; empty for a volume."
    )
    endpoint: str = bucket_keys.endpoint()
    region: str = bucket_keys.region()
    credentials_secret: str = bucket_keys.credentials_secret()
    volume_gib: int = setting(
        0, "Size of a volume that is claimed for the models; 0 for a bucket.", minimum=0, maximum=1_048_576
    )
    storage_class: str = setting(
        "", "StorageClass of the volume; empty for the cluster's default.", pattern=DNS_LABEL
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)
        if bool(self.bucket) == bool(self.volume_gib):
            both = "both are set" if self.bucket else "neither is set"
            raise ConfigError(
                f"repository.bucket and repository.volumeGib: {both}; set exactly one: an existing bucket, or the size of a volume"
            )
        for key, value in (("endpoint", self.endpoint), ("credentialsSecret", self.credentials_secret)):
            if value and not self.bucket:
                raise ConfigError(
                    f"repository.{key} is {value!r} but there is no bucket; set repository.bucket, or leave it out"
                )
        if self.storage_class and self.bucket:
            raise ConfigError(
                f"repository.storageClass is {self.storage_class!r} but repository.bucket is set; leave it out, or claim a volume"
            )


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """One run that trains one version of one model and publishes it."""

    SECTION: ClassVar[str] = "training"

    model: str = required("Name that clients will ask for.")
    version: int = setting(
        1, "Version that the run makes; a new number is a new run.", minimum=1, maximum=2**62
    )
    image: str = required(
        "Image by digest, with the training code and this project's `model_export`.", pattern=_BY_DIGEST
    )
    command: tuple[str, ...] = setting((), "Command of the training; empty for the image's own.")
    labels: tuple[str, ...] = setting(
        (), "Labels of the repository that point at the version once it is published."
    )
    queue: str = setting(
        "", "Kueue LocalQueue that admits the run; empty to start it at once.", pattern=DNS_LABEL
    )
    attempts: int = setting(3, "Starts at most: a pod that is evicted does not count.", minimum=1, maximum=20)
    longest_seconds: int = setting(
        86_400,
        "Longest run, waiting for nodes included; it is stopped then.",
        minimum=60,
        maximum=4 * _WEEK_SECONDS,
    )
    kept_seconds: int = setting(
        _WEEK_SECONDS,
        "How long the finished Job and its logs are kept.",
        minimum=60,
        maximum=52 * _WEEK_SECONDS,
    )
    node_pool_label: str = setting(
        "kubernetes.io/hostname",
        "Node label that tells pools apart: on no pool with serving pods does training run. As it stands, each node is a pool.",
        pattern=_NODE_LABEL,
    )
    node_pool: str = setting("", "Value of that label to train on; empty for any pool that serves nothing.")
    beside_serving: bool = setting(default=False, doc="Let training share pools with pods that serve.")

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)
        if self.node_pool and self.node_pool_label == "kubernetes.io/hostname":
            raise ConfigError(
                f"training.nodePool is {self.node_pool!r} but training.nodePoolLabel names single nodes; set it to the label that your "
                "cluster's pools carry, such as cloud.google.com/gke-nodepool"
            )


@dataclass(frozen=True, kw_only=True)
class TrainingStackConfig:
    """A training stack: its namespace, the repository, and a run with what it asks of its node."""

    namespace: str
    repository: RepositoryConfig
    training: TrainingConfig
    resources: ResourcesConfig = field(default_factory=ResourcesConfig)
    gpu: GpuConfig = field(default_factory=GpuConfig)


_SECTIONS: Final = ("namespace", "repository", "training", "resources", "gpu")


def read_training(raw: Mapping[str, Any]) -> TrainingStackConfig:
    """Build the configuration of a training stack from plain data. Raises ConfigError with key, value and remedy."""
    for name in raw:
        if name not in _SECTIONS:
            raise ConfigError(f"unknown key {name}{did_you_mean(name, _SECTIONS)}")
    return TrainingStackConfig(
        namespace=str(raw.get("namespace", "training")),
        repository=read_section(RepositoryConfig, raw.get("repository", {}), where="repository"),
        training=read_section(TrainingConfig, raw.get("training", {}), where="training"),
        resources=read_section(ResourcesConfig, raw.get("resources", {}), where="resources"),
        gpu=read_section(GpuConfig, raw.get("gpu", {}), where="gpu"),
    )

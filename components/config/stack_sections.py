"""The keys of a whole stack: one frozen dataclass per section, one line per key. The models' own keys are in `model_sections`.

A new stack needs a registry, a model's name and its source. Tests hold these tables, Pulumi.yaml and docs/config.md to one another.
Units are in the names, and every number is a whole one: Pulumi.yaml knows no fractions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from components.config.fields import DNS_LABEL, OBJECT_NAME, check_limits, required, setting
from components.config.model_sections import ModelConfig, ServedModel
from components.config.overrides_section import OverridesConfig
from components.config.quota_section import QuotaConfig

_DEBIAN = "docker.io/library/debian:bookworm-20250520-slim"
_MOST_MICROS = 1_000_000_000_000


@dataclass(frozen=True, kw_only=True)
class ClusterConfig:
    """Which cluster, and what it offers."""

    SECTION: ClassVar[str] = "cluster"

    context: str = setting("", "Context of the kubeconfig; empty for the current one.")
    kubeconfig: str = setting("", "Path of the kubeconfig; empty for KUBECONFIG, then ~/.kube/config.")
    identifier: str = setting(
        "",
        "Name of the cluster for good, such as prod-eu: while it stays, another address or certificate of its API server replaces nothing; empty to go by those.",
        pattern=DNS_LABEL,
    )
    namespace: str = setting(
        "tf-serving", "Namespace that is created for this stack alone.", pattern=DNS_LABEL
    )
    pod_security_version: str = setting(
        "v1.31",
        "Kubernetes minor version whose restricted Pod Security profile is enforced.",
        pattern=(r"v1\.\d+", "a minor version such as `v1.34`"),
    )
    kubernetes_version: str = setting(
        "",
        "Minor version of the cluster, such as `v1.34`, to check the configuration against; empty to check nothing.",
        pattern=(r"v1\.\d+", "a minor version such as `v1.34`"),
    )
    gpu_driver: str = setting(
        "",
        "Version of the NVIDIA driver on the nodes, such as `570.86.15`, to check the runtime against; empty to check nothing.",
        pattern=(r"\d+(\.\d+)+", "a driver version such as `570.86.15`"),
    )
    pull_mib_per_second: int = setting(
        0,
        "How fast a node pulls images, for the forecast of a start; 0 for unknown.",
        minimum=0,
        maximum=1_000_000,
    )
    node_address: str = setting("", "Address at which NodePorts answer, for the addresses in the outputs.")
    priority_class: str = setting("", "PriorityClass of the pods; it must exist.", pattern=OBJECT_NAME)
    image_pull_secrets: tuple[str, ...] = setting(
        (), "Names of Secrets in the namespace that open the registry.", pattern=OBJECT_NAME
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)


@dataclass(frozen=True, kw_only=True)
class ImagesConfig:
    """How images are made and where they go."""

    SECTION: ClassVar[str] = "images"

    registry: str = required(
        "Registry and path that images are pushed to, such as registry.example.com/team.",
        pattern=(
            r"[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)*",
            "a registry with a path, such as registry.example.com/team",
        ),
    )
    base: str = setting(
        "",
        "Base of the runtime image, with python3 and tini; empty to make one with apt on images.builderBase.",
    )
    builder_base: str = setting(
        _DEBIAN,
        "Base of the build stages: Debian 12; what it lacks of python3-venv and binutils is installed with apt.",
    )
    runtime: str = setting(
        "",
        "Which TensorFlow is in the runtime image: cpu or gpu; empty for gpu where gpu.count is above 0.",
        choices=("", "cpu", "gpu"),
    )
    pushed_runtimes: Mapping[str, Any] = setting(
        {},
        "Runtime images that were built and pushed elsewhere, by accelerator: `cpu: NAME@sha256:…`; those are not built here.",
    )
    require_digests: bool = setting(default=False, doc="Refuse base images that are not named by digest.")
    platform: str = setting(
        "linux/amd64", "Operating system and processor of the nodes.", choices=("linux/amd64", "linux/arm64")
    )
    builder: str = setting("", "Name of the BuildKit builder; empty for the current one of `docker buildx`.")
    registry_cache: bool = setting(
        default=False, doc="Keep the build cache in the registry, for builders that start empty."
    )
    build_cache: bool = setting(
        default=True,
        doc="Take layers from earlier builds; false builds every layer anew, which gives the same digests.",
    )
    pip_config: str = setting(
        "", "Path of a pip.conf for the build, mounted as a build secret; empty for none."
    )
    ca_certificates: str = setting(
        "", "Path of a CA bundle for the build, mounted as a build secret; empty for the base image's own."
    )

    signing_key: str = setting(
        "",
        "Path of a private key in PEM that images are signed with once they are pushed, in cosign's format; empty to sign none.",
    )
    signing_password_variable: str = setting(
        "", "Environment variable with the password of images.signingKey; empty for none."
    )
    signature_keys: tuple[str, ...] = setting(
        (),
        "Public keys in PEM, one of which must have signed an image before pods run it; empty for that of images.signingKey, if any.",
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)


@dataclass(frozen=True, kw_only=True)
class PricesConfig:
    """What an hour costs, in millionths of your currency, for the forecast in preview; 0 for unknown."""

    SECTION: ClassVar[str] = "prices"

    cpu_core_hour_micros: int = setting(
        0, "Price of a CPU core for an hour, in millionths.", minimum=0, maximum=_MOST_MICROS
    )
    memory_gib_hour_micros: int = setting(
        0, "Price of a GiB of memory for an hour, in millionths.", minimum=0, maximum=_MOST_MICROS
    )
    gpu_hour_micros: int = setting(
        0, "Price of a GPU for an hour, in millionths.", minimum=0, maximum=_MOST_MICROS
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)


@dataclass(frozen=True, kw_only=True)
class PlatformConfig:
    """One stack: a cluster, its images, and the models that it serves."""

    cluster: ClusterConfig
    images: ImagesConfig
    served: tuple[ServedModel, ...]
    prices: PricesConfig = field(default_factory=PricesConfig)
    quota: QuotaConfig = field(default_factory=QuotaConfig)
    overrides: OverridesConfig = field(default_factory=OverridesConfig)
    build_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Contents of images.pipConfig and images.caCertificates, by the id that the Dockerfile mounts them under."""
    office: Any = field(default=None, repr=False)
    """`notary.Office` with images.signingKey and images.signatureKeys; None where neither is set. Not typed as one: it comes with
    cryptography, which only stacks that name keys have in memory."""

    @property
    def candidates(self) -> tuple[ModelConfig, ...]:
        """The canaries of all models."""
        return tuple(each.candidate for each in self.served if each.candidate)

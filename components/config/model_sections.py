"""The keys of one model: its source, its pods, its doors. Each section may also stand in an entry of `models`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from components.config.delivery_section import DeliveryConfig
from components.config.fields import DNS_LABEL, LABEL_VALUE, OBJECT_NAME, check_limits, setting
from components.config.labels import check_labels
from components.config.rollout_sections import CanaryConfig, RolloutConfig
from components.config.scaling_section import AutoscalingConfig
from components.config.upstream_section import UpstreamConfig

_MODEL_NAME = (r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "a model name: letters, digits, `.`, `_`, `-`, at most 63")
_EXTENDED_RESOURCE = (
    r"nvidia\.com/(gpu(\.shared)?|mig-\d+g\.\d+gb(\.me)?)",
    "`nvidia.com/gpu`, `nvidia.com/gpu.shared` or a MIG profile such as `nvidia.com/mig-1g.10gb`",
)
_HOST_NAME = (
    rf"(?=.{{1,253}}$){DNS_LABEL[0]}(\.{DNS_LABEL[0]})+",
    "a host name such as `mnist.example.com`",
)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Which trained model, and how it becomes a servable."""

    SECTION: ClassVar[str] = "model"

    name: str = setting("", "Name that clients ask for.", pattern=_MODEL_NAME)
    source: str = setting(
        "",
        "Trained model: checkpoint folder or prefix, SavedModel, .keras file, GraphDef; or a version folder exported before.",
    )
    repository: str = setting(
        "build/models", "Folder of exported models; version folders are made in <repository>/<name>."
    )
    pushed_image: str = setting(
        "",
        "Image of this very version that was pushed before, `NAME:VERSION@sha256:…`: pods run it and nothing is built; empty to build one.",
        pattern=(
            r"\S+:\d+@sha256:[0-9a-f]{64}",
            "a model image by version and digest, `NAME:VERSION@sha256:…`",
        ),
    )
    inputs: tuple[str, ...] = setting(
        (), "Input nodes, `node` or `alias=node`; empty for every placeholder that the outputs need."
    )
    outputs: tuple[str, ...] = setting(
        (), "Output nodes, `node` or `alias=node`; empty where the source names its signatures."
    )
    signature: str = setting("serving_default", "Signature key given to these inputs and outputs.")
    version: int = setting(
        0, "Version number; 0 for the checkpoint's step, or 1 where there is none.", minimum=0, maximum=2**62
    )
    evaluate: str = setting(
        "", "Path of an .npz with inputs and labels that the accuracy is measured on; empty for none."
    )
    allow_breaking: bool = setting(
        default=False,
        doc="Let a new version break the contract of the deployed one: other inputs, outputs or types.",
    )
    allowed_ops: tuple[str, ...] = setting(
        (), "Operations that may reach outside the graph (files, Python, the host), by name."
    )
    signature_keys: tuple[str, ...] = setting(
        (), "Public keys in PEM: a version that none of them signed is neither deployed nor loaded."
    )
    load_seconds: int = setting(
        20, "Longest time from container start to ready, warm-up included.", minimum=1, maximum=3_600
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """How the API layer answers and where it is reached."""

    SECTION: ClassVar[str] = "server"

    replicas: int = setting(1, "Number of pods where autoscaling is off.", minimum=1, maximum=5_000)
    service_type: str = setting(
        "ClusterIP", "Type of the Service.", choices=("ClusterIP", "NodePort", "LoadBalancer")
    )
    rest_node_port: int = setting(
        0, "NodePort of REST; 0 lets the cluster choose.", minimum=0, maximum=32_767
    )
    grpc_node_port: int = setting(
        0, "NodePort of gRPC; 0 lets the cluster choose.", minimum=0, maximum=32_767
    )
    console: bool = setting(
        default=False, doc="Serve the page to try the model, on a port of its own inside the pod."
    )
    console_node_port: int = setting(
        0, "NodePort of that page; 0 for none: `kubectl port-forward` reaches it.", minimum=0, maximum=32_767
    )
    runtime: str = setting(
        "built-in",
        "What runs the model: built-in (TensorFlow in the API layer's process) or tensorflow-serving (the official server behind it).",
        choices=("built-in", "tensorflow-serving"),
    )
    request_timeout_seconds: int = setting(
        30, "Longest time that a request may take, in queue and model together.", minimum=1, maximum=3_600
    )
    secret_files: Mapping[str, Any] = setting(
        {},
        "Files of Secrets in the namespace, `secret/key` by flag: `access_file` (tokens), `ssl_config_file` (key and certificates).",
    )
    settings: Mapping[str, Any] = setting(
        {},
        "Further flags of the API layer, by name, such as `max_batch_rows: 128` or, for kept answers, `accuracy_start: 0.9`; docs/serving-settings.md lists them.",
    )

    @property
    def rest_scheme(self) -> str:
        """What REST and the console speak: `https` where the flag `enable_rest_tls` is set."""
        return "https" if str(self.settings.get("enable_rest_tls", "")).lower() == "true" else "http"

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)


@dataclass(frozen=True, kw_only=True)
class ResourcesConfig:
    """What one pod asks of its node."""

    SECTION: ClassVar[str] = "resources"

    cpu_millicores: int = setting(
        500, "CPU request in thousandths of a core; there is no CPU limit.", minimum=10, maximum=512_000
    )
    memory_mib: int = setting(1_024, "Memory request and limit.", minimum=256, maximum=16_777_216)
    scratch_mib: int = setting(
        256, "Writable space under /tmp, and the ephemeral storage limit.", minimum=16, maximum=1_048_576
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)


@dataclass(frozen=True, kw_only=True)
class GpuConfig:
    """GPUs of one pod; none while `count` is 0."""

    SECTION: ClassVar[str] = "gpu"

    count: int = setting(0, "GPUs (or slices) per pod; 0 for a CPU deployment.", minimum=0, maximum=1_024)
    resource: str = setting(
        "nvidia.com/gpu", "Resource that the device plugin advertises.", pattern=_EXTENDED_RESOURCE
    )
    device_class: str = setting(
        "",
        "DeviceClass to claim GPUs of (dynamic resource allocation, Kubernetes 1.34), in place of gpu.resource.",
        pattern=(OBJECT_NAME[0], "a DeviceClass such as `gpu.nvidia.com`"),
    )
    product: str = setting(
        "",
        "Value of the node label nvidia.com/gpu.product to choose nodes by; empty for any.",
        pattern=(LABEL_VALUE[0], "a label's value such as `NVIDIA-A100-SXM4-40GB`, without spaces"),
    )
    runtime_class: str = setting(
        "", "RuntimeClass of the pods, where the cluster needs one.", pattern=OBJECT_NAME
    )
    memory_percent: int = setting(
        0,
        "Share of each GPU's memory that TensorFlow may take; 0 lets it grow. Needed on a shared GPU.",
        minimum=0,
        maximum=100,
    )
    available: int = setting(
        0,
        "GPUs that this model may count on, for rollouts and the autoscaler; 0 for unknown.",
        minimum=0,
        maximum=1_000_000,
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)


@dataclass(frozen=True, kw_only=True)
class ExposureConfig:
    """Who may reach the model, and by which name from outside the cluster."""

    SECTION: ClassVar[str] = "exposure"

    network_policies: bool = setting(
        default=True, doc="Deny all traffic of the pods but what the keys below and the Service's type open."
    )
    client_namespaces: tuple[str, ...] = setting(
        (), "Namespaces that may ask the model; empty for every namespace of the cluster.", pattern=DNS_LABEL
    )
    monitoring_namespaces: tuple[str, ...] = setting(
        ("monitoring",), "Namespaces that may read the metrics port.", pattern=DNS_LABEL
    )
    host: str = setting("", "Host name of the model outside the cluster; empty for none.", pattern=_HOST_NAME)
    gateway: str = setting(
        "",
        "Gateway (Gateway API) that routes REST and gRPC to the model, `namespace/name`.",
        pattern=(f"{DNS_LABEL[0]}/{OBJECT_NAME[0]}", "`namespace/name` of a Gateway"),
    )
    ingress_class: str = setting(
        "", "IngressClass that routes REST to the model, where there is no Gateway API.", pattern=OBJECT_NAME
    )
    tls_secret: str = setting(
        "", "Secret with the Ingress's certificate; a Gateway holds its own.", pattern=OBJECT_NAME
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)


@dataclass(frozen=True, kw_only=True)
class ObservabilityConfig:
    """What the Prometheus operator is given, where the cluster has one."""

    SECTION: ClassVar[str] = "observability"

    pod_monitor: bool = setting(default=False, doc="Declare a PodMonitor for the metrics port.")
    alerts: bool = setting(default=False, doc="Declare a PrometheusRule with alerts.")
    dashboard: bool = setting(
        default=False, doc="Declare a Grafana dashboard, as a ConfigMap with the label `grafana_dashboard`."
    )
    labels: Mapping[str, Any] = setting({}, "Labels that the operator selects its objects by.")
    error_percent: int = setting(1, "Alert above this share of failed requests.", minimum=1, maximum=100)
    availability_permille: int = setting(
        999,
        "Requests in a thousand that are to succeed: alert when the rest is spent too fast.",
        minimum=1,
        maximum=999,
    )
    latency_milliseconds: int = setting(
        500, "Alert above this 99th percentile of request times.", minimum=1, maximum=3_600_000
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)
        check_labels(self.labels, f"{self.SECTION}.labels")


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """Everything about one model: its source, its pods, its scaling."""

    model: ModelConfig
    server: ServerConfig = field(default_factory=ServerConfig)
    upstream: UpstreamConfig = field(default_factory=UpstreamConfig)
    delivery: DeliveryConfig = field(default_factory=DeliveryConfig)
    resources: ResourcesConfig = field(default_factory=ResourcesConfig)
    gpu: GpuConfig = field(default_factory=GpuConfig)
    autoscaling: AutoscalingConfig = field(default_factory=AutoscalingConfig)
    rollout: RolloutConfig = field(default_factory=RolloutConfig)
    canary: CanaryConfig = field(default_factory=CanaryConfig)
    exposure: ExposureConfig = field(default_factory=ExposureConfig)
    observability: ObservabilityConfig = field(default_factory=ObservabilityConfig)

    @property
    def has_upstream(self) -> bool:
        """Whether TensorFlow Serving runs the model, behind the API layer."""
        return self.server.runtime == "tensorflow-serving"

    @property
    def is_in_image(self) -> bool:
        """Whether the model is a layer of the image, and does not come from a repository."""
        return self.delivery.mode == "image"

    @property
    def needs_fetcher(self) -> bool:
        """Whether an image that fetches its versions is to be built."""
        return self.delivery.mode == "init-fetch" and not self.delivery.fetch_image

    @property
    def candidate(self) -> ModelConfig | None:
        """The canary as a model of its own: what differs is its source and version, and that its image is built."""
        if not self.canary.source:
            return None
        return replace(self.model, source=self.canary.source, version=self.canary.version, pushed_image="")

    @property
    def needs_runtime(self) -> bool:
        """Whether something of it is put on, or runs, the runtime image; an image that was pushed has its own inside."""
        return not self.model.pushed_image or self.has_upstream or bool(self.canary.source)

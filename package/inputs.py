"""What a component of the package takes, in the shapes that Pulumi can say in every language: the keys of docs/config.md.

Pulumi reads these classes, their types and the line under each key to make a schema, and from it an SDK for TypeScript, Go and others. So
they are written out, and a test holds each key to the configuration's own type and description.
"""

from typing import TypedDict


class Resources(TypedDict, total=False):
    """What one pod asks of its node."""

    cpu_millicores: int
    """CPU request in thousandths of a core; there is no CPU limit."""
    memory_mib: int
    """Memory request and limit."""
    scratch_mib: int
    """Writable space under /tmp, and the ephemeral storage limit."""


class Gpu(TypedDict, total=False):
    """GPUs of one pod; none while `count` is 0."""

    count: int
    """GPUs (or slices) per pod; 0 for a CPU deployment."""
    resource: str
    """Resource that the device plugin advertises."""
    device_class: str
    """DeviceClass to claim GPUs of (dynamic resource allocation, Kubernetes 1.34), in place of gpu.resource."""
    product: str
    """Value of the node label nvidia.com/gpu.product to choose nodes by; empty for any."""
    runtime_class: str
    """RuntimeClass of the pods, where the cluster needs one."""
    memory_percent: int
    """Share of each GPU's memory that TensorFlow may take; 0 lets it grow. Needed on a shared GPU."""
    available: int
    """GPUs that this model may count on, for rollouts and the autoscaler; 0 for unknown."""


class Server(TypedDict, total=False):
    """How the API layer answers and where it is reached."""

    replicas: int
    """Number of pods where autoscaling is off."""
    service_type: str
    """Type of the Service."""
    rest_node_port: int
    """NodePort of REST; 0 lets the cluster choose."""
    grpc_node_port: int
    """NodePort of gRPC; 0 lets the cluster choose."""
    request_timeout_seconds: int
    """Longest time that a request may take, in queue and model together."""
    settings: dict[str, str]
    """Further flags of the API layer, by name, such as `max_batch_rows: 128` or, for kept answers, `accuracy_start: 0.9`; docs/serving-settings.md lists them."""


class Autoscaling(TypedDict, total=False):
    """How the number of pods follows the load."""

    enabled: bool
    """Let an autoscaler own the number of pods."""
    scaler: str
    """Who scales: hpa (a HorizontalPodAutoscaler of our own) or keda (a ScaledObject; KEDA makes the HorizontalPodAutoscaler)."""
    min_replicas: int
    """Fewest pods."""
    max_replicas: int
    """Most pods."""
    cpu_percent: int
    """CPU use, in percent of the request, that pods are added above; 0 to leave CPU out."""
    in_flight_requests: int
    """Requests that a pod answers at once, on average, that pods are added above; 0 to leave them out."""
    queue_wait_milliseconds: int
    """Time that a request waits for the model, on average, that pods are added above; 0 to leave it out."""
    prometheus_url: str
    """Prometheus that KEDA asks, such as `http://prometheus.monitoring:9090`."""
    scale_up_seconds: int
    """The load must last this long before pods are added; 0 to compute it from model.loadSeconds."""
    scale_down_seconds: int
    """The load must be gone this long before pods are removed; 0 to compute it from model.loadSeconds."""


class Rollout(TypedDict, total=False):
    """How a new version takes over, and how long that may take."""

    pull_seconds: int
    """Longest time for scheduling a pod and pulling its image."""
    ready_seconds: int
    """A new pod must stay ready this long before it counts."""
    history: int
    """Former versions that are kept for a rollback."""
    spread: str
    """Pods on different hosts: required (never two on one host) or preferred."""


class Exposure(TypedDict, total=False):
    """Who may reach the model, and by which name from outside the cluster."""

    network_policies: bool
    """Deny all traffic of the pods but what the keys below and the Service's type open."""
    client_namespaces: list[str]
    """Namespaces that may ask the model; empty for every namespace of the cluster."""
    monitoring_namespaces: list[str]
    """Namespaces that may read the metrics port."""
    host: str
    """Host name of the model outside the cluster; empty for none."""
    gateway: str
    """Gateway (Gateway API) that routes REST and gRPC to the model, `namespace/name`."""
    ingress_class: str
    """IngressClass that routes REST to the model, where there is no Gateway API."""
    tls_secret: str
    """Secret with the Ingress's certificate; a Gateway holds its own."""


class Observability(TypedDict, total=False):
    """What the Prometheus operator is given, where the cluster has one."""

    pod_monitor: bool
    """Declare a PodMonitor for the metrics port."""
    alerts: bool
    """Declare a PrometheusRule with alerts."""
    labels: dict[str, str]
    """Labels that the operator selects its objects by."""
    error_percent: int
    """Alert above this share of failed requests."""
    latency_milliseconds: int
    """Alert above this 99th percentile of request times."""


class Repository(TypedDict, total=False):
    """Where finished versions are kept: a bucket that exists, or a volume that is claimed."""

    bucket: str
    """Bucket and prefix below which each model has its base path, such as s3://models/team; empty for a volume."""
    endpoint: str
    """Address of an S3 server other than Amazon's."""
    region: str
    """Region of the bucket; empty for the client's default."""
    credentials_secret: str
    """Secret whose key `credentials` is an AWS credentials file; empty for the pod's own identity."""
    volume_gib: int
    """Size of a volume that is claimed for the models; 0 for a bucket."""
    storage_class: str
    """StorageClass of the volume; empty for the cluster's default."""


class Training(TypedDict, total=False):
    """One run that trains one version of one model and publishes it."""

    model: str
    """Name that clients will ask for."""
    version: int
    """Version that the run makes; a new number is a new run."""
    image: str
    """Image by digest, with the training code and this project's `model_export`."""
    command: list[str]
    """Command of the training; empty for the image's own."""
    labels: list[str]
    """Labels of the repository that point at the version once it is published."""
    queue: str
    """Kueue LocalQueue that admits the run; empty to start it at once."""
    attempts: int
    """Starts at most: a pod that is evicted does not count."""
    longest_seconds: int
    """Longest run, waiting for nodes included; it is stopped then."""
    kept_seconds: int
    """How long the finished Job and its logs are kept."""
    node_pool_label: str
    """Node label that tells pools apart: on no pool with serving pods does training run. As it stands, each node is a pool."""
    node_pool: str
    """Value of that label to train on; empty for any pool that serves nothing."""
    beside_serving: bool
    """Let training share pools with pods that serve."""

"""What no single key can know of itself: values that exclude one another, or that only a cluster would refuse, minutes later."""

import re
from collections.abc import Iterator
from typing import Final

from components.config.model_sections import (
    ExposureConfig,
    GpuConfig,
    ModelConfig,
    ServedModel,
)
from components.config.object_names import check_names
from components.config.rollout_contradictions import check_canaries, check_canary
from components.config.scaling_section import AutoscalingConfig
from components.config.server_contradictions import check_server
from components.config.several import said_of
from components.config.stack_sections import ClusterConfig, ImagesConfig, PlatformConfig
from components.errors import ConfigError, config_error

_BY_DIGEST: Final = re.compile(r"\S+@sha256:[0-9a-f]{64}")
_SHARED_NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")


def check_platform(platform: PlatformConfig) -> None:
    """Raise ConfigError for the first contradiction."""
    _check_cluster(platform.cluster)
    _check_images(platform.images)
    for served in platform.served:
        with said_of(served.model.name, is_one_of_several=len(platform.served) > 1):
            _check_served(served)
    _check_node_ports(platform.served)
    _check_hosts(platform.served)
    _check_network_policies(platform.served)
    check_canaries(platform.served)
    check_names(platform.served)


def _check_served(served: ServedModel) -> None:
    _check_model(served.model)
    _check_autoscaling(served.autoscaling)
    _check_gpu(served.gpu)
    _check_gpus_available(served)
    check_server(served)
    check_canary(served)
    _check_delivery(served)
    _check_exposure(served.exposure)


def _check_cluster(cluster: ClusterConfig) -> None:
    if cluster.namespace in _SHARED_NAMESPACES:
        remedy = "name one that this stack may create, label and delete"
        raise config_error("cluster.namespace", "a namespace of the stack's own", cluster.namespace, remedy)


def _check_images(images: ImagesConfig) -> None:
    for kind, reference in images.pushed_runtimes.items():
        if kind not in ("cpu", "gpu") or not _BY_DIGEST.fullmatch(str(reference)):
            expected = "`cpu` or `gpu` with an image by digest, `NAME@sha256:…`"
            raise config_error("images.pushedRuntimes", expected, f"{kind}: {reference}")
    for key, reference in (("images.base", images.base), ("images.builderBase", images.builder_base)):
        if images.require_digests and reference and "@sha256:" not in reference:
            remedy = "append its digest, or set images.requireDigests to false"
            raise config_error(key, "named by digest (images.requireDigests is true)", reference, remedy)


def _check_model(model: ModelConfig) -> None:
    for key, value in (("name", model.name), ("source", model.source)):
        if not value:
            raise ConfigError(
                f"model.{key} is not set; set it with `pulumi config set --path model.{key} VALUE`"
            )


def _check_autoscaling(autoscaling: AutoscalingConfig) -> None:
    if autoscaling.min_replicas > autoscaling.max_replicas:
        expected = f"at most autoscaling.maxReplicas ({autoscaling.max_replicas})"
        raise config_error(
            "autoscaling.minReplicas", expected, autoscaling.min_replicas, "raise the one or lower the other"
        )
    of_requests = autoscaling.in_flight_requests or autoscaling.queue_wait_milliseconds
    if autoscaling.enabled and not (autoscaling.cpu_percent or of_requests):
        raise ConfigError(
            "autoscaling is enabled but measures nothing; set autoscaling.cpuPercent, inFlightRequests or queueWaitMilliseconds"
        )
    if autoscaling.scaler == "keda" and of_requests and not autoscaling.prometheus_url:
        raise ConfigError(
            "autoscaling.prometheusUrl is not set, but KEDA asks it for requests; set it with "
            "`pulumi config set --path autoscaling.prometheusUrl http://prometheus.monitoring:9090`"
        )
    if autoscaling.scaler == "hpa" and autoscaling.prometheus_url:
        raise ConfigError(
            "autoscaling.prometheusUrl is set but autoscaling.scaler is hpa, which asks a metrics adapter; set it to keda, or leave the "
            "address out"
        )


def _check_gpu(gpu: GpuConfig) -> None:
    needing = {
        "product": gpu.product,
        "runtimeClass": gpu.runtime_class,
        "deviceClass": gpu.device_class,
        "memoryPercent": gpu.memory_percent,
        "available": gpu.available,
    }
    for key, value in needing.items():
        if value and gpu.count == 0:
            raise ConfigError(
                f"gpu.{key} is {value!r} but gpu.count is 0; set gpu.count to 1 or more, or leave gpu.{key} out"
            )
    if gpu.count and gpu.resource.endswith(".shared"):
        _check_share(gpu)


def _check_share(gpu: GpuConfig) -> None:
    if gpu.count > 1:
        # The device plugin hands a pod that asks twice the same card twice, or refuses it after scheduling.
        raise config_error(
            "gpu.count",
            f"1 for the shared resource {gpu.resource}",
            gpu.count,
            "a share has no size to add up",
        )
    if not gpu.memory_percent:
        remedy = "without it the first pod takes the whole card and the next one fails to start"
        raise config_error(
            "gpu.memoryPercent",
            f"1 to 100 for the shared resource {gpu.resource}",
            gpu.memory_percent,
            remedy,
        )


def _check_gpus_available(served: ServedModel) -> None:
    gpu, most = (
        served.gpu,
        served.autoscaling.max_replicas if served.autoscaling.enabled else served.server.replicas,
    )
    if gpu.available and most * gpu.count > gpu.available:
        key = "autoscaling.maxReplicas" if served.autoscaling.enabled else "server.replicas"
        needed = f"{most} pods of {gpu.count} need {most * gpu.count} GPUs, gpu.available is {gpu.available}"
        raise ConfigError(
            f"{key} is too high: {needed}; lower it, or raise gpu.available when there are more"
        )


def _check_delivery(served: ServedModel) -> None:
    if served.delivery.mode != "image" and served.model.pushed_image:
        raise ConfigError(
            f"model.pushedImage is set, but delivery.mode is {served.delivery.mode} and pods take the model from there; leave one of them out"
        )
    if served.delivery.mode != "image" and served.has_upstream:
        raise ConfigError(
            f"delivery.mode is {served.delivery.mode}, but TensorFlow Serving reads the model from its image; set delivery.mode to image, "
            "or server.runtime to built-in"
        )


def _check_exposure(exposure: ExposureConfig) -> None:
    if exposure.gateway and exposure.ingress_class:
        raise ConfigError(
            "exposure.gateway and exposure.ingressClass are both set; keep the Gateway, it routes gRPC as well"
        )
    is_routed = bool(exposure.gateway or exposure.ingress_class)
    if is_routed and not exposure.host:
        raise ConfigError(
            "exposure.host is not set, but a Gateway or an Ingress is; set it with `pulumi config set --path exposure.host NAME`"
        )
    for key, value in (("host", exposure.host), ("tlsSecret", exposure.tls_secret)):
        if value and not is_routed:
            raise ConfigError(
                f"exposure.{key} is {value!r} but nothing routes it; set exposure.gateway or exposure.ingressClass"
            )
    if exposure.tls_secret and exposure.gateway:
        raise ConfigError(
            "exposure.tlsSecret is for an Ingress; a Gateway's certificate is in its listener: leave the key out"
        )


def _check_hosts(models: tuple[ServedModel, ...]) -> None:
    owners: dict[str, str] = {}
    for served in (each for each in models if each.exposure.gateway):
        host, name = served.exposure.host, served.model.name
        if host in owners:
            # A gRPC request names its model in the message, where no route looks.
            raise ConfigError(
                f"models {owners[host]} and {name} share exposure.host {host}; over gRPC each needs a host of its own"
            )
        owners[host] = name


def _check_node_ports(models: tuple[ServedModel, ...]) -> None:
    owners: dict[int, str] = {}
    for key, port in _node_ports(models):
        if port in owners:
            raise ConfigError(
                f"{key} and {owners[port]} are both {port}; give each its own, or 0 to let the cluster choose"
            )
        owners[port] = key


def _node_ports(models: tuple[ServedModel, ...]) -> Iterator[tuple[str, int]]:
    for served in models:
        where = f"models.{served.model.name}.server." if len(models) > 1 else "server."
        for key, port in (
            ("restNodePort", served.server.rest_node_port),
            ("grpcNodePort", served.server.grpc_node_port),
            ("consoleNodePort", served.server.console_node_port),
        ):
            if port:
                yield where + key, port


def _check_network_policies(models: tuple[ServedModel, ...]) -> None:
    # The namespace is closed as a whole: a model without a policy of its own would be closed and have no door.
    if len({served.exposure.network_policies for served in models}) > 1:
        raise ConfigError(
            "exposure.networkPolicies differs between models of one namespace; set it once, beside `models`"
        )

"""From one model's configuration to the values that its components are made of: pure arithmetic, before any resource exists."""

import math
from dataclasses import replace
from typing import Final

from components import health, secret_files, upstream
from components.config import ImagesConfig, ResourcesConfig, ServedModel, api_layer_settings
from components.health import Lifecycle
from serving.settings import ServingSettings

MODELS_PATH: Final = "/models"
"""Folder of a model image; the servable is <MODELS_PATH>/<name>/<version>. `images/model.Dockerfile` names it too."""
MONITORING_PORT: Final = 8_502
"""Beside TensorFlow Serving's 8500 and 8501: metrics and probes need no place in a client's queue."""

CONSOLE_PORT: Final = 8_503
"""Of the page to try a model, where `server.console` is set."""


def serving_settings(served: ServedModel) -> ServingSettings:
    """Return the API layer's settings in the pod: what follows from other keys, then `server.settings`.

    In front of TensorFlow Serving it has no folder of models and no GPU memory to share.
    """
    timeout_seconds = served.server.request_timeout_seconds
    return ServingSettings(
        model_name=served.model.name,
        model_base_path="" if served.has_upstream else base_path(served),
        model_signature_keys="\n".join(served.model.signature_keys),
        monitoring_port=MONITORING_PORT,
        console_port=CONSOLE_PORT if served.server.console else 0,
        rest_api_timeout_in_ms=timeout_seconds * 1_000,
        drain_seconds=float(health.DRAIN_SECONDS),
        shutdown_grace_seconds=float(timeout_seconds),
        per_process_gpu_memory_fraction=0.0 if served.has_upstream else served.gpu.memory_percent / 100,
        **(upstream.addresses(served.upstream) if served.has_upstream else {}),
        **secret_files.paths(served.server.secret_files),
        **api_layer_settings(served.server.settings),
    )


def base_path(served: ServedModel) -> str:
    """Return the folder in the model's image that holds its version folder."""
    return f"{MODELS_PATH}/{served.model.name}"


def gateway_resources(served: ServedModel) -> ResourcesConfig:
    """Return what the API layer's container asks for: all that the model needs, or its own share beside TensorFlow Serving."""
    if not served.has_upstream:
        return served.resources
    own = served.upstream
    return replace(
        served.resources, cpu_millicores=own.gateway_cpu_millicores, memory_mib=own.gateway_memory_mib
    )


def pod_resources(served: ServedModel) -> tuple[int, int]:
    """Return the thousandths of a core and the MiB of memory that a whole pod asks for."""
    gateway, model = gateway_resources(served), served.resources
    if not served.has_upstream:
        return model.cpu_millicores, model.memory_mib
    return gateway.cpu_millicores + model.cpu_millicores, gateway.memory_mib + model.memory_mib


def pod_lifecycle(served: ServedModel) -> Lifecycle:
    """Return the times of a pod."""
    return Lifecycle(
        load_seconds=served.model.load_seconds,
        request_timeout_seconds=served.server.request_timeout_seconds,
        pull_seconds=served.rollout.pull_seconds,
        ready_seconds=served.rollout.ready_seconds,
        waits_for_old_pod=_waits_for_old_pod(served),
    )


def replica_bounds(served: ServedModel) -> tuple[int, int]:
    """Return the fewest and the most pods: of the first rollout, and of one under full load."""
    if served.autoscaling.enabled:
        return served.autoscaling.min_replicas, served.autoscaling.max_replicas
    return served.server.replicas, served.server.replicas


def typical_replicas(served: ServedModel) -> int:
    """Return the pods of an ordinary day: as configured, within the bounds, or the middle of them."""
    fewest, most = replica_bounds(served)
    asked = served.autoscaling.typical_replicas if served.autoscaling.enabled else 0
    return min(most, max(fewest, asked or (fewest + most + 1) // 2))


def canary_bounds(served: ServedModel) -> tuple[int, int]:
    """Return the fewest and the most pods of the canary; none where no version is on trial."""
    return _canary_share(served) if served.canary.source and served.canary.phase == "trial" else (0, 0)


def canary_reserve(served: ServedModel) -> int:
    """Return the most pods that a canary may hold while an update runs.

    In the update that promotes it, its pods go last, when the stable ones have been exchanged: a plan that took their GPUs for free
    already would wait for them, and they for it.
    """
    return _canary_share(served)[1] if served.canary.source else 0


def _canary_share(served: ServedModel) -> tuple[int, int]:
    """Behind a Gateway a canary grows with its own load, up to its share of the most stable pods.

    Where the Service spreads requests over all pods, its number is what makes its share, and stays.
    """
    canary, (fewest, most) = served.canary, replica_bounds(served)
    if served.exposure.gateway:
        share = max(canary.weight_percent, canary.shadow_percent)
        return 1, max(1, math.ceil(most * share / 100))
    pods = max(1, round(fewest * canary.weight_percent / (100 - canary.weight_percent)))
    return pods, pods


def accelerator(served: ServedModel, images: ImagesConfig) -> str:
    """Return which runtime image the API layer is in: `cpu` or `gpu`; TensorFlow Serving brings its own libraries."""
    if served.has_upstream:
        return "cpu"
    return images.runtime or ("gpu" if served.gpu.count else "cpu")


def _waits_for_old_pod(served: ServedModel) -> bool:
    most = replica_bounds(served)[1] + canary_reserve(served)
    return served.gpu.count > 0 and served.gpu.available < (most + 1) * served.gpu.count

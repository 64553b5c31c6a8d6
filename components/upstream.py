"""TensorFlow Serving as a native sidecar: started before the API layer, stopped after it, and reached by nobody else.

    clients ──> API layer ─┬─ gRPC: /run/tfs/grpc.sock ─┬─> tensorflow_model_server ──> /models, a layer of its image
                           └─ REST: 127.0.0.1:8511 ─────┘

A native sidecar (an init container with `restartPolicy: Always`, stable since Kubernetes 1.33) gets its SIGTERM when the API layer has
drained and gone. The server has no handler for it, and a process with PID 1 ignores what it does not handle; so a shell stands before it
and passes the signal on, or every pod would last its whole grace period. The configuration is a ConfigMap named after its content.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    ExecActionArgs,
    ProbeArgs,
    VolumeArgs,
    VolumeMountArgs,
)

from components.config import GpuConfig, ResourcesConfig, UpstreamConfig
from components.containers import (
    SCRATCH,
    container_resources,
    container_security,
    environment,
    gpu_variables,
    scratch,
)
from components.text_proto import Value, text_proto
from components.upstream_flags import UpstreamFlags

CONTAINER: Final = "tensorflow-serving"
SOCKET: Final = "/run/tfs/grpc.sock"
REST_PORT: Final = 8_511
"""Of its REST API, inside the pod. It cannot be bound to 127.0.0.1, so a network policy keeps others out; no Service leads there."""
METRICS_PORT_NAME: Final = "tfs-metrics"
METRICS_PATH: Final = "/monitoring/prometheus/metrics"
_SOCKET_VOLUME: Final = VolumeMountArgs(name="upstream", mount_path="/run/tfs")
_CONFIG_PATH: Final = "/etc/tfs"
_STARTUP_PERIOD_SECONDS: Final = 2
"""Each look starts a process in the container; loading takes seconds at least."""
_QUEUED_BATCHES_PER_THREAD: Final = 2
"""Enough to keep a thread busy; what waits beyond that is better off in the API layer's queue, where it is ordered and refused."""
_THREADS_PER_CORE: Final = 4
_MOST_THREADS: Final = 512
_RUN: Final = 'rm -f "$0"; tensorflow_model_server "$@" & server=$!; trap \'kill -TERM "$server"\' TERM INT; wait "$server"'
"""For a shell, with the socket as $0 and the flags as its arguments: no value is ever read as a command. A socket of a former run goes
first, because the start-up probe looks for one."""


@dataclass(frozen=True, kw_only=True)
class UpstreamArgs:
    """TensorFlow Serving in one pod."""

    image: pulumi.Input[str]
    """The official server with the model as a layer, by digest."""
    model: str
    """Name of the model."""
    base_path: str
    """Folder in the image that holds the version folders."""
    version: int
    """The only version that is served."""
    label: str
    """Label of that version: the track that it runs on."""
    load_seconds: int
    """Longest time from container start to loaded."""
    request_timeout_seconds: int
    """Longest request of the API layer."""
    resources: ResourcesConfig
    gpu: GpuConfig
    upstream: UpstreamConfig
    """What an operator chose."""


def addresses(upstream: UpstreamConfig) -> dict[str, Any]:
    """Return the settings of the API layer that lead to it."""
    rest = {"upstream_rest": f"127.0.0.1:{REST_PORT}"} if upstream.rest else {}
    return {"upstream_grpc": f"unix:{SOCKET}", **rest}


def config_files(args: UpstreamArgs) -> dict[str, str]:
    """Return the text protos that the server reads, by file name."""
    files = {"models.config": text_proto(_models(args))}
    if args.upstream.batching:
        files["batching.config"] = text_proto(_batching(args))
    if args.upstream.metrics:
        files["monitoring.config"] = text_proto({"prometheus_config": {"enable": True, "path": METRICS_PATH}})
    return files


def config_name(instance: str, args: UpstreamArgs) -> str:
    """Return a name that follows from the content: pods that run keep theirs, and new ones get the new one."""
    content = json.dumps(config_files(args), sort_keys=True)
    return f"{instance}-tfs-{hashlib.sha256(content.encode()).hexdigest()[:6]}"


def sidecar(args: UpstreamArgs) -> ContainerArgs:
    """Return the container; it has a port only where its metrics are asked for."""
    metrics = (
        [ContainerPortArgs(name=METRICS_PORT_NAME, container_port=REST_PORT)]
        if args.upstream.metrics
        else None
    )
    return ContainerArgs(
        name=CONTAINER,
        image=args.image,
        image_pull_policy="IfNotPresent",
        restart_policy="Always",
        command=["/bin/bash", "-c", _RUN, SOCKET],
        args=flags(args).words(),
        env=environment(_variables(args)),
        ports=metrics,
        resources=container_resources(args.resources, args.gpu),
        security_context=container_security(),
        # The socket appears when every model has loaded, and not before; the API layer is started then. Whether it answers is asked by
        # the API layer's own readiness, since a socket has no probe; a server that ends is started again.
        startup_probe=ProbeArgs(
            exec_=ExecActionArgs(command=["test", "-S", SOCKET]),
            period_seconds=_STARTUP_PERIOD_SECONDS,
            failure_threshold=math.ceil(args.load_seconds / _STARTUP_PERIOD_SECONDS),
        ),
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[
            _SOCKET_VOLUME,
            VolumeMountArgs(name="upstream-config", mount_path=_CONFIG_PATH, read_only=True),
            VolumeMountArgs(name="upstream-tmp", mount_path=SCRATCH),
        ],
    )


def gateway_mounts() -> list[VolumeMountArgs]:
    """Return what the API layer mounts of it: the socket's folder."""
    return [_SOCKET_VOLUME]


def volumes(instance: str, args: UpstreamArgs) -> list[VolumeArgs]:
    """Return the volumes that the two containers share, and the sidecar's own."""
    return [
        VolumeArgs(name="upstream", empty_dir=EmptyDirVolumeSourceArgs(medium="Memory", size_limit="1Mi")),
        VolumeArgs(
            name="upstream-config", config_map=ConfigMapVolumeSourceArgs(name=config_name(instance, args))
        ),
        scratch("upstream-tmp", args.resources.scratch_mib),
    ]


def flags(args: UpstreamArgs) -> UpstreamFlags:
    """Return the command line."""
    asked, cores = args.upstream, _cores(args)
    waiting = 2 * asked.max_batch_rows if asked.batching else 0
    return UpstreamFlags(
        grpc_socket_path=SOCKET,
        rest_api_port=REST_PORT if asked.rest or asked.metrics else 0,
        rest_api_timeout_in_ms=args.request_timeout_seconds * 1_000,
        model_config_file=f"{_CONFIG_PATH}/models.config",
        enable_batching=asked.batching,
        batching_parameters_file=f"{_CONFIG_PATH}/batching.config" if asked.batching else "",
        monitoring_config_file=f"{_CONFIG_PATH}/monitoring.config" if asked.metrics else "",
        enable_model_warmup=asked.warmup,
        # A call that waits for its batch holds a thread: as many as fill a batch of single rows, and those that run.
        grpc_max_threads=max(_THREADS_PER_CORE * cores, min(_MOST_THREADS, waiting)),
        tensorflow_intra_op_parallelism=cores,
        tensorflow_inter_op_parallelism=cores,
        per_process_gpu_memory_fraction=args.gpu.memory_percent / 100,
    )


def _cores(args: UpstreamArgs) -> int:
    return max(1, math.ceil(args.resources.cpu_millicores / 1_000))


def _models(args: UpstreamArgs) -> Mapping[str, Value]:
    model: Mapping[str, Value] = {
        "name": args.model,
        "base_path": args.base_path,
        "model_platform": "tensorflow",
        "model_version_policy": {"specific": {"versions": [args.version]}},
        "version_labels": {"key": args.label, "value": args.version},
    }
    return {"model_config_list": {"config": [model]}}


def _batching(args: UpstreamArgs) -> Mapping[str, Value]:
    asked = args.upstream
    threads = asked.batch_threads or _cores(args)
    return {
        "max_batch_size": {"value": asked.max_batch_rows},
        "batch_timeout_micros": {"value": asked.batch_wait_micros},
        "max_enqueued_batches": {"value": threads * _QUEUED_BATCHES_PER_THREAD},
        "num_batch_threads": {"value": threads},
        "allowed_batch_sizes": _powers_of_two(asked.max_batch_rows) if asked.pad_batches else [],
    }


def _powers_of_two(largest: int) -> list[int]:
    """Return 1, 2, 4, … and `largest` at last, as the server demands."""
    return [*(1 << power for power in range((largest - 1).bit_length())), largest]


def _variables(args: UpstreamArgs) -> dict[str, str]:
    grows = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if args.gpu.count and not args.gpu.memory_percent else {}
    return {"HOME": SCRATCH, "CUDA_CACHE_PATH": f"{SCRATCH}/nv", **gpu_variables(args.gpu), **grows}

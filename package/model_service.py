"""ModelService: a model image that was built elsewhere, as a Deployment with all that a production workload needs around it."""

import re
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
from pulumi_kubernetes.core.v1 import ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components import naming, plan, rollout
from components.autoscaling import Autoscaler
from components.config import PlatformConfig, ServedModel, read_config
from components.errors import config_error
from components.exposure import Exposure, ExposureArgs
from components.model_server import ModelServer
from components.observability import Observability, ObservabilityArgs
from components.track_parts import TrackParts
from model_export.artifact import Manifest, ModelArtifact, Source
from package.blocks import sections
from package.inputs import Autoscaling, Gpu, Resources, Rollout, Server
from package.inputs import Exposure as ExposureBlock
from package.inputs import Observability as ObservabilityBlock
from package.refusals import said_plainly

_NOT_BUILT_HERE = "not-built-here.example.com"
"""The configuration asks for a registry to push to; a package pushes nothing."""


class ModelServiceArgs(TypedDict):
    """One version of one model in a namespace that exists."""

    namespace: str
    """Namespace to live in, such as that of a ServingNamespace."""
    model: str
    """Name that clients ask for."""
    version: int
    """Version that the image holds."""
    image: pulumi.Input[str]
    """Model image by digest."""
    model_digest: str
    """Identity of the servable, as its manifest says; a new one is a rollout."""
    load_seconds: NotRequired[int]
    """Longest time from container start to ready, warm-up included."""
    node_address: NotRequired[str]
    """Address at which NodePorts answer, for the addresses in the outputs."""
    priority_class: NotRequired[str]
    """PriorityClass of the pods; it must exist."""
    image_pull_secrets: NotRequired[list[str]]
    """Names of Secrets in the namespace that open the registry."""
    server: NotRequired[Server]
    """How the API layer answers and where it is reached."""
    resources: NotRequired[Resources]
    """What one pod asks of its node."""
    gpu: NotRequired[Gpu]
    """GPUs of one pod."""
    autoscaling: NotRequired[Autoscaling]
    """How the number of pods follows the load."""
    rollout: NotRequired[Rollout]
    """How a new version takes over."""
    exposure: NotRequired[ExposureBlock]
    """Who may reach the model."""
    observability: NotRequired[ObservabilityBlock]
    """What is watched, and when someone is called."""


class ModelService(pulumi.ComponentResource):
    """Deployment, Service, autoscaler, disruption budget, network policy and routes of one model."""

    service: pulumi.Output[str]
    """Name of the Service."""
    rest_url: pulumi.Output[str]
    """Where REST answers."""
    grpc_target: pulumi.Output[str]
    """Where gRPC answers, `host:port`."""

    @said_plainly
    def __init__(self, name: str, args: ModelServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tf-serving:index:ModelService", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        _check_image(args)
        config = _config(args)
        parts = _parts(config, args, _account(name, config, child))
        server = ModelServer(f"{name}-server", parts.server(), child)
        Autoscaler(f"{name}-autoscaler", parts.autoscaler(server.deployment_name), child)
        Exposure(f"{name}-exposure", _exposure(config, server.service_name), child)
        Observability(f"{name}-observability", _observability(config), child)
        self.service, self.rest_url, self.grpc_target = (
            server.service_name,
            server.rest_url,
            server.grpc_target,
        )
        self.register_outputs(
            {"service": self.service, "rest_url": self.rest_url, "grpc_target": self.grpc_target}
        )


def _check_image(args: ModelServiceArgs) -> None:
    # An image that another resource makes is known later, and by digest then.
    if isinstance(args["image"], str) and not re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", args["image"]):
        remedy = "write `NAME@sha256:…`, as the registry names it"
        raise config_error("image", "an image by digest", args["image"], remedy)
    if args["version"] < 1:
        raise config_error("version", "the version that the image holds, 1 or more", args["version"])


def _config(args: ModelServiceArgs) -> PlatformConfig:
    """Read the blocks as a stack's configuration is read: the same limits, contradictions and sentences."""
    cluster = {
        "namespace": args["namespace"],
        "nodeAddress": args.get("node_address", ""),
        "priorityClass": args.get("priority_class", ""),
        "imagePullSecrets": list(args.get("image_pull_secrets") or ()),
    }
    model = {"name": args["model"], "source": "an image", "version": args["version"]}
    if "load_seconds" in args:
        model["loadSeconds"] = args["load_seconds"]
    blocks = sections(
        args, "server", "resources", "gpu", "autoscaling", "rollout", "exposure", "observability"
    )
    return read_config(
        {"cluster": cluster, "images": {"registry": _NOT_BUILT_HERE}, "model": model, **blocks}
    )


def _served(config: PlatformConfig) -> ServedModel:
    (served,) = config.served
    return served


def _account(name: str, config: PlatformConfig, child: pulumi.ResourceOptions) -> pulumi.Output[str]:
    instance = naming.dns_label(_served(config).model.name)
    metadata = ObjectMetaArgs(
        name=instance, namespace=config.cluster.namespace, labels=naming.labels(instance)
    )
    account = ServiceAccount(
        f"{name}-account", metadata=metadata, automount_service_account_token=False, opts=child
    )
    return account.metadata.apply(lambda made: made.name or "")


def _parts(config: PlatformConfig, args: ModelServiceArgs, account: pulumi.Input[str]) -> TrackParts:
    served = _served(config)
    (track,) = rollout.tracks(served, _artifact(args))
    return TrackParts(
        served=served,
        track=track,
        image=args["image"],
        runtime=args["image"],
        contract="{}",
        cluster=config.cluster,
        namespace=config.cluster.namespace,
        service_account=account,
        on_failure=None,
    )


def _artifact(args: ModelServiceArgs) -> ModelArtifact:
    """What is known of a servable that only its image holds."""
    elsewhere = Source(kind="saved_model", name=args["model"], step=None, digest=args["model_digest"])
    manifest = Manifest(
        name=args["model"],
        version=int(args["version"]),
        identity=args["model_digest"],
        source=elsewhere,
        tensorflow_version="",
        node_count=0,
        size_bytes=0,
        signatures=(),
        accuracy=None,
        files={},
    )
    return ModelArtifact(path=Path(), manifest=manifest)


def _exposure(config: PlatformConfig, service: pulumi.Input[str]) -> ExposureArgs:
    served = _served(config)
    settings = plan.serving_settings(served)
    return ExposureArgs(
        namespace=config.cluster.namespace,
        instance=naming.dns_label(served.model.name),
        model=served.model.name,
        service=service,
        ports={"rest": settings.rest_api_port, "grpc": settings.port, "monitoring": settings.monitoring_port},
        reached_from_outside=served.server.service_type != "ClusterIP",
        request_timeout_seconds=served.server.request_timeout_seconds,
        exposure=served.exposure,
    )


def _observability(config: PlatformConfig) -> ObservabilityArgs:
    served = _served(config)
    return ObservabilityArgs(
        namespace=config.cluster.namespace,
        instance=naming.dns_label(served.model.name),
        model=served.model.name,
        tracks=1,
        load_seconds=served.model.load_seconds,
        max_queue_requests=plan.serving_settings(served).max_queue_requests,
        observability=served.observability,
    )

"""ModelEndpoint: one model, from its servable on this machine to an address that answers.

Image -> Deployment and Service -> autoscaler. It lives in a namespace, under an account and on a runtime that it may share with others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components import naming, plan, rollout
from components.autoscaling import Autoscaler
from components.briefing import announcements, doubts
from components.config import ClusterConfig, ImagesConfig, PricesConfig, ServedModel
from components.console import ConsoleDoor, ConsoleDoorArgs
from components.delivery import delivery
from components.exposure import CanaryBackend, Exposure, ExposureArgs
from components.forecast import forecast
from components.images import ModelImage, ModelImageArgs, pushed_image
from components.model_server import ModelServer
from components.observability import Observability, ObservabilityArgs
from components.predecessor import once_run, previous
from components.repository_doors import repository_doors
from components.rollout import Track
from components.track_parts import TrackParts
from components.upstream import REST_PORT
from components.vouching import vouched_image
from model_export.artifact import ModelArtifact

if TYPE_CHECKING:
    from notary import Office


@dataclass(frozen=True, kw_only=True)
class ModelEndpointArgs:
    """One model and the ground it stands on."""

    served: ServedModel
    """Its section of the configuration."""
    artifact: ModelArtifact
    """Servable of `model.source`."""
    contract: pulumi.Input[str]
    """Its contract as JSON. Pods wait for it, so a contract that is refused holds the rollout back."""
    images: ImagesConfig
    """Registry and builder."""
    cluster: ClusterConfig
    """Priority class, pull secrets and the address of NodePorts."""
    runtime: pulumi.Input[str]
    """Runtime image by digest."""
    namespace: pulumi.Input[str]
    """Namespace that exists."""
    fetcher: pulumi.Input[str] = ""
    """Image that fetches versions, where `delivery` needs one and names none."""
    service_account: pulumi.Input[str]
    """Name of a service account without rights."""
    candidate: ModelArtifact | None = None
    """Servable of `canary.source`, where there is one."""
    prices: PricesConfig = field(default_factory=PricesConfig)
    """What an hour costs, for the forecast."""
    on_failure: pulumi.ErrorHook | None = None
    """Explains a rollout that failed."""
    office: "Office | None" = field(default=None, repr=False)
    """Keys that images are signed with and asked for by; None for neither."""
    deployed: pulumi.Input[Any] = None
    """What the last update exported of each model, by name."""


class ModelEndpoint(pulumi.ComponentResource):
    """Image, servers, scaling and address of one model."""

    image: pulumi.Output[str]
    """Model image by digest."""
    service: pulumi.Output[str]
    """Name of the Service."""
    rest_url: pulumi.Output[str]
    """Where REST answers, such as http://192.0.2.1:30501; within the cluster for a ClusterIP Service."""
    grpc_target: pulumi.Output[str]
    """Where gRPC answers, `host:port`."""
    facts: Mapping[str, pulumi.Input[Any]]
    """All of the above by name, with node ports and the model's name, version and digest: what a stack exports."""

    def __init__(
        self, name: str, args: ModelEndpointArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tfserving:model_endpoint:ModelEndpoint", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        _brief(self, args)
        images = _images(name, args, child)
        servers = _servers(name, args, images, child)
        server = servers[naming.STABLE]
        Exposure(f"{name}-exposure", _exposure_args(args, servers), child)
        _outward_doors(name, args, child)
        if args.served.server.console_node_port:
            ConsoleDoor(f"{name}-console", _console_args(args), child)
        Observability(f"{name}-observability", _observability_args(args), child)
        self.image = images[rollout.running_name(args.served)]
        self.service = server.service_name
        self.rest_url, self.grpc_target = _addresses(args.served, server)
        self.facts = {
            **_known_facts(args),
            "contract": args.contract,
            "image": once_run(self.image, [each.deployment_name for each in servers.values()]),
            "service": self.service,
            "rest_url": self.rest_url,
            "grpc_target": self.grpc_target,
            "node_ports": server.node_ports,
            **_console_facts(args),
            **_canary_facts(args, images),
            "previous": previous(args.deployed, args.served.model.name, self.image, _running(args).digest),
        }
        self.register_outputs(self.facts)


def _brief(parent: pulumi.Resource, args: ModelEndpointArgs) -> None:
    versions = args.served, args.artifact, args.candidate
    for sentence in announcements(*versions, prices=args.prices, cluster=args.cluster):
        pulumi.log.info(f"model {args.served.model.name}: {sentence}", parent)
    for sentence in doubts(*versions):
        pulumi.log.warn(f"model {args.served.model.name}: {sentence}", parent)


def _servers(
    name: str,
    args: ModelEndpointArgs,
    images: Mapping[str, pulumi.Output[str]],
    child: pulumi.ResourceOptions,
) -> dict[str, ModelServer]:
    """Declare a server and its autoscaler for each track, and return the servers by track."""
    servers = {}
    for track in _tracks(args):
        prefix, parts = f"{name}{naming.suffix(track.name)}", _parts(args, track, images[track.runs])
        server = servers[track.name] = ModelServer(f"{prefix}-server", parts.server(), child)
        Autoscaler(f"{prefix}-autoscaler", parts.autoscaler(server.deployment_name), child)
    return servers


def _tracks(args: ModelEndpointArgs) -> tuple[Track, ...]:
    return rollout.tracks(args.served, args.artifact, args.candidate)


def _images(
    name: str, args: ModelEndpointArgs, child: pulumi.ResourceOptions
) -> dict[str, pulumi.Output[str]]:
    """Declare an image of each version, whether or not something runs it, and return them by the track that it was made for.

    What comes from a repository needs none: its image is the runtime. Nor does what was pushed before.
    """
    artifacts = {naming.STABLE: args.artifact, naming.CANARY: args.candidate}
    if not args.served.is_in_image:
        runtime = pulumi.Output.from_input(args.runtime)
        return {track: runtime for track, artifact in artifacts.items() if artifact}
    pushed = {naming.STABLE: pushed_image(args.served.model, args.artifact)}
    return {
        track: vouched_image(pushed[track], args.office)
        if pushed.get(track)
        else _built(f"{name}{naming.suffix(track)}-image", args, artifact, child)
        for track, artifact in artifacts.items()
        if artifact
    }


def _built(
    name: str, args: ModelEndpointArgs, artifact: ModelArtifact, child: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    image_args = ModelImageArgs(
        images=args.images, runtime=_ground(args), artifact=artifact, office=args.office
    )
    return ModelImage(name, image_args, child).ref


def _parts(args: ModelEndpointArgs, track: Track, image: pulumi.Input[str]) -> TrackParts:
    return TrackParts(
        served=args.served,
        track=track,
        image=image,
        runtime=args.runtime,
        fetcher=args.fetcher,
        contract=args.contract,
        cluster=args.cluster,
        namespace=args.namespace,
        service_account=args.service_account,
        on_failure=args.on_failure,
    )


def _ground(args: ModelEndpointArgs) -> pulumi.Input[str]:
    """Return the image that the model is put on: of what runs it."""
    return args.served.upstream.image if args.served.has_upstream else args.runtime


def _exposure_args(args: ModelEndpointArgs, servers: Mapping[str, ModelServer]) -> ExposureArgs:
    served, settings = args.served, plan.serving_settings(args.served)
    return ExposureArgs(
        namespace=args.namespace,
        instance=naming.dns_label(served.model.name),
        model=served.model.name,
        service=servers[naming.STABLE].service_name,
        ports={"rest": settings.rest_api_port, "grpc": settings.port, "monitoring": settings.monitoring_port},
        further_metrics_ports=(REST_PORT,) if served.has_upstream and served.upstream.metrics else (),
        reached_from_outside=served.server.service_type != "ClusterIP",
        request_timeout_seconds=served.server.request_timeout_seconds,
        exposure=served.exposure,
        canary=_canary_backend(served, servers.get(naming.CANARY)),
    )


def _canary_backend(served: ServedModel, canary: ModelServer | None) -> CanaryBackend | None:
    if canary is None:
        return None
    return CanaryBackend(
        instance=naming.canary(naming.dns_label(served.model.name)),
        # Known when its pods are ready: a share of the requests that is sent to a Service without any would be refused.
        service=pulumi.Output.all(canary.service_name, canary.deployment_name).apply(lambda names: names[0]),
        weight_percent=served.canary.weight_percent,
        shadow_percent=served.canary.shadow_percent,
    )


def _outward_doors(name: str, args: ModelEndpointArgs, child: pulumi.ResourceOptions) -> None:
    """Let the pods out to the bucket that they fetch from, where the namespace is closed."""
    served, instance = args.served, naming.dns_label(args.served.model.name)
    arriving = delivery(served.delivery, args.artifact, plan.base_path(served))
    if arriving is None or not arriving.access.is_remote or not served.exposure.network_policies:
        return
    metadata = ObjectMetaArgs(
        name=naming.outward(instance), namespace=args.namespace, labels=naming.labels(instance)
    )
    repository_doors(name, metadata, naming.model_selector(instance), arriving.access, child)


def _console_args(args: ModelEndpointArgs) -> ConsoleDoorArgs:
    served = args.served
    return ConsoleDoorArgs(
        namespace=args.namespace,
        instance=naming.dns_label(served.model.name),
        port=plan.CONSOLE_PORT,
        node_port=served.server.console_node_port,
        network_policies=served.exposure.network_policies,
    )


def _observability_args(args: ModelEndpointArgs) -> ObservabilityArgs:
    served = args.served
    return ObservabilityArgs(
        namespace=args.cluster.namespace,
        instance=naming.dns_label(served.model.name),
        model=served.model.name,
        tracks=len(_tracks(args)),
        load_seconds=served.model.load_seconds,
        max_queue_requests=plan.serving_settings(served).max_queue_requests,
        observability=served.observability,
    )


def _addresses(served: ServedModel, server: ModelServer) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """REST and gRPC as a client should call them: by the host name where something routes it, else by the Service."""
    exposure = served.exposure
    is_encrypted = bool(exposure.gateway or exposure.tls_secret)
    rest, grpc = f"{'https' if is_encrypted else 'http'}://{exposure.host}", f"{exposure.host}:443"
    return (
        pulumi.Output.from_input(rest) if exposure.host else server.rest_url,
        pulumi.Output.from_input(grpc) if exposure.gateway else server.grpc_target,
    )


def _console_facts(args: ModelEndpointArgs) -> dict[str, Any]:
    server, address = args.served.server, args.cluster.node_address or "localhost"
    port = server.console_node_port
    return {"console_url": f"{server.rest_scheme}://{address}:{port}"} if port else {}


def _canary_facts(args: ModelEndpointArgs, images: Mapping[str, pulumi.Output[str]]) -> dict[str, Any]:
    if args.candidate is None:
        return {}
    facts = {
        "phase": args.served.canary.phase,
        "model_version": args.candidate.version,
        "model_digest": args.candidate.digest,
        "image": images[naming.CANARY],
    }
    return {"canary": facts}


def _running(args: ModelEndpointArgs) -> ModelArtifact:
    return rollout.running(args.served, args.artifact, args.candidate)


def _known_facts(args: ModelEndpointArgs) -> dict[str, Any]:
    artifact = _running(args)
    accuracy = artifact.manifest.accuracy
    return {
        "model": artifact.name,
        "model_version": artifact.version,
        "model_digest": artifact.digest,
        "accuracy": accuracy.value if accuracy else None,
        "forecast": forecast(args.served, args.prices).facts(),
    }

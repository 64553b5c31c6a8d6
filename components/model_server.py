"""ModelServer: one Deployment and one Service for one model.

The Deployment's name and selector follow from the model's name alone, so a new version, image, setting or size is a rolling update
of the one Deployment and never a replacement. Pulumi waits for the rollout as long as the numbers of `health.Lifecycle` say, and
then shows why a pod is not ready.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apps.v1 import (
    Deployment,
    DeploymentSpecArgs,
    DeploymentStrategyArgs,
    RollingUpdateDeploymentArgs,
)
from pulumi_kubernetes.core.v1 import ConfigMap, Service, ServicePortArgs, ServiceSpecArgs, outputs
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs

from components import naming
from components.config import RolloutConfig, ServerConfig
from components.health import Lifecycle
from components.pod import PodArgs, claim_template, claim_template_name, pod_template
from components.takeover import BESIDE, Takeover
from components.upstream import config_files, config_name


@dataclass(frozen=True, kw_only=True)
class ModelServerArgs:
    """A model server in a namespace that exists."""

    namespace: pulumi.Input[str]
    """Namespace to live in."""
    pod: PodArgs
    """What runs."""
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    """How long its phases take."""
    takeover: Takeover = BESIDE
    """How a new version takes over."""
    server: ServerConfig = field(default_factory=ServerConfig)
    """Service type and node ports."""
    replicas: tuple[int, int] = (1, 1)
    """Fewest and most pods: how many a first rollout brings up, and how many a later one may have to exchange."""
    is_autoscaled: bool = False
    """Whether an autoscaler owns the number of pods."""
    service_selector: Mapping[str, str] | None = None
    """Pods that the Service leads to, those of all tracks of the model for instance; its own where it is left out."""
    rollout: RolloutConfig = field(default_factory=RolloutConfig)
    """When a new pod counts, and how many former versions are kept."""
    node_address: str = ""
    """Address at which NodePorts answer."""
    on_failure: pulumi.ErrorHook | None = None
    """Explains a rollout that failed; see `components.diagnosis`."""


class ModelServer(pulumi.ComponentResource):
    """Deployment and Service."""

    deployment_name: pulumi.Output[str]
    """Name that an autoscaler targets."""
    service_name: pulumi.Output[str]
    """DNS name within the namespace."""
    node_ports: pulumi.Output[dict[str, int]]
    """NodePort by port name (`rest`, `grpc`); empty where the Service has none."""
    rest_url: pulumi.Output[str]
    """Where REST answers: outside the cluster where the Service reaches there, else inside."""
    grpc_target: pulumi.Output[str]
    """Where gRPC answers, `host:port`."""

    def __init__(self, name: str, args: ModelServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfserving:model_server:ModelServer", name, None, opts)
        metadata = ObjectMetaArgs(
            name=args.pod.instance, namespace=args.namespace, labels=naming.labels(args.pod.instance)
        )
        self.service = Service(
            f"{name}-service",
            metadata=_with_service_annotations(metadata, args.server),
            spec=_service(args),
            opts=pulumi.ResourceOptions(parent=self, custom_timeouts=_timeouts(args)),
        )
        _declare_prerequisites(self, name, args)
        self.deployment = Deployment(
            f"{name}-deployment",
            metadata=metadata,
            spec=_deployment(args),
            opts=_deployment_options(self, args),
        )
        self.deployment_name = self.deployment.metadata.apply(lambda made: made.name or "")
        self.service_name = self.service.metadata.apply(lambda made: made.name or "")
        self.node_ports = self.service.spec.apply(_node_ports)
        inside = pulumi.Output.format("{0}.{1}.svc", self.service_name, args.namespace)
        known = pulumi.Output.all(self.service.status.apply(_ingress_host), self.node_ports, inside)
        self.rest_url = known.apply(
            lambda parts: f"{args.server.rest_scheme}://{_address('rest', args, *parts)}"
        )
        self.grpc_target = known.apply(lambda parts: _address("grpc", args, *parts))
        self.register_outputs(
            {
                "deployment_name": self.deployment_name,
                "service_name": self.service_name,
                "node_ports": self.node_ports,
                "rest_url": self.rest_url,
                "grpc_target": self.grpc_target,
            }
        )


def _declare_prerequisites(parent: pulumi.Resource, name: str, args: ModelServerArgs) -> None:
    """Declare what pods refer to by a name that follows from its content, so that the new one stands before the old one goes."""
    child, labels = pulumi.ResourceOptions(parent=parent), naming.labels(args.pod.instance)
    if args.pod.gpu.device_class:
        CustomResource(
            f"{name}-gpus",
            api_version="resource.k8s.io/v1",
            kind="ResourceClaimTemplate",
            metadata=ObjectMetaArgs(
                name=claim_template_name(args.pod), namespace=args.namespace, labels=labels
            ),
            spec=claim_template(args.pod),
            opts=child,
        )
    if args.pod.upstream:
        ConfigMap(
            f"{name}-upstream",
            metadata=ObjectMetaArgs(
                name=config_name(args.pod.instance, args.pod.upstream),
                namespace=args.namespace,
                labels=labels,
            ),
            immutable=True,
            data=config_files(args.pod.upstream),
            opts=child,
        )


def _deployment(args: ModelServerArgs) -> DeploymentSpecArgs:
    return DeploymentSpecArgs(
        replicas=args.replicas[0],
        selector=LabelSelectorArgs(match_labels=naming.selector(args.pod.instance)),
        strategy=_strategy(args.takeover),
        min_ready_seconds=args.rollout.ready_seconds,
        progress_deadline_seconds=args.lifecycle.progress_deadline_seconds,
        revision_history_limit=args.rollout.history,
        template=pod_template(args.pod),
    )


def _strategy(takeover: Takeover) -> DeploymentStrategyArgs:
    return DeploymentStrategyArgs(
        type="RollingUpdate",
        rolling_update=RollingUpdateDeploymentArgs(
            max_surge=takeover.max_surge, max_unavailable=takeover.max_unavailable
        ),
    )


def _deployment_options(parent: pulumi.Resource, args: ModelServerArgs) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(
        parent=parent,
        custom_timeouts=_timeouts(args),
        # The autoscaler's figure stands: an update with the number in it would set a busy service back to its minimum.
        ignore_changes=["spec.replicas"] if args.is_autoscaled else None,
        hooks=pulumi.ResourceHookBinding(on_error=[args.on_failure]) if args.on_failure else None,
    )


def _timeouts(args: ModelServerArgs) -> pulumi.CustomTimeouts:
    first, later = (f"{args.lifecycle.await_seconds(replicas)}s" for replicas in args.replicas)
    return pulumi.CustomTimeouts(create=first, update=later, delete=f"{args.lifecycle.deletion_seconds}s")


def _service(args: ModelServerArgs) -> ServiceSpecArgs:
    # Only the API layer's two ports. Monitoring stays inside: whoever reads metrics reads traffic.
    return ServiceSpecArgs(
        type=args.server.service_type,
        selector=args.service_selector or naming.selector(args.pod.instance),
        ports=[
            _port("grpc", args.pod.settings.port, args.server.grpc_node_port, protocol="kubernetes.io/h2c"),
            _port("rest", args.pod.settings.rest_api_port, args.server.rest_node_port, protocol="http"),
        ],
    )


def _port(name: str, number: int, node_port: int, *, protocol: str) -> ServicePortArgs:
    return ServicePortArgs(
        name=name,
        port=number,
        target_port=name,
        node_port=node_port or None,
        protocol="TCP",
        app_protocol=protocol,
    )


def _with_service_annotations(metadata: ObjectMetaArgs, server: ServerConfig) -> ObjectMetaArgs:
    if server.service_type == "LoadBalancer":
        return metadata
    # The Deployment waits until its pods have been ready for minReadySeconds, by when every node knows their addresses. Pulumi's own
    # wait for a Service would add ten seconds to every first `up`, and ten minutes to one whose pods never start.
    return ObjectMetaArgs(
        name=metadata.name,
        namespace=metadata.namespace,
        labels=metadata.labels,
        annotations={"pulumi.com/skipAwait": "true"},
    )


def _node_ports(spec: outputs.ServiceSpec) -> dict[str, int]:
    return {port.name: port.node_port for port in spec.ports or [] if port.name and port.node_port}


def _ingress_host(status: outputs.ServiceStatus | None) -> str:
    ingress = status.load_balancer.ingress if status and status.load_balancer else None
    return (ingress[0].hostname or ingress[0].ip or "") if ingress else ""


def _address(
    port: str, args: ModelServerArgs, outside: str, node_ports: Mapping[str, int], inside: str
) -> str:
    number = {"rest": args.pod.settings.rest_api_port, "grpc": args.pod.settings.port}[port]
    if outside:
        return f"{outside}:{number}"
    if args.node_address and port in node_ports:
        return f"{args.node_address}:{node_ports[port]}"
    return f"{inside}:{number}"

"""Exposure: the doors of a model, and nothing else.

Pods are cut off in both directions: they need no DNS, no internet and no API server, and a model is a program that must not phone out.
Then each door is opened by name: clients to REST and gRPC, monitoring to the metrics. From outside the cluster a Gateway (REST and
gRPC) or an Ingress (REST) leads to the same Service. Whether policies are enforced is up to the cluster's network plug-in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    HTTPIngressPathArgs,
    HTTPIngressRuleValueArgs,
    Ingress,
    IngressBackendArgs,
    IngressRuleArgs,
    IngressServiceBackendArgs,
    IngressSpecArgs,
    IngressTLSArgs,
    NetworkPolicy,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
    ServiceBackendPortArgs,
)

from components import naming
from components.config import ExposureConfig

_GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
_GRPC_SERVICES: Final = (
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
    "grpc.health.v1.Health",
    "inference.GRPCInferenceService",
)
_PREDICTIONS: Final = ("predict", "classify", "regress")
_ROUTE_MARGIN_SECONDS: Final = 5
"""A route waits longer than the API layer, so that a client reads the API layer's own words for a timeout."""


@dataclass(frozen=True, kw_only=True)
class CanaryBackend:
    """The second place that routes lead to while a version is on trial."""

    instance: str
    """DNS label of the canary's objects."""
    service: pulumi.Input[str]
    """Service of the canary's pods alone."""
    weight_percent: int
    """Share of the requests that it answers."""
    shadow_percent: int
    """Share of the requests that it is sent a copy of."""


@dataclass(frozen=True, kw_only=True)
class ExposureArgs:
    """The doors of one model server."""

    namespace: pulumi.Input[str]
    """Namespace of the server."""
    instance: str
    """DNS label of the model."""
    model: str
    """Name of the model in REST paths."""
    service: pulumi.Input[str]
    """Service that routes lead to."""
    ports: Mapping[str, int] = field(
        default_factory=lambda: {"grpc": 8_500, "rest": 8_501, "monitoring": 8_502}
    )
    """Port number by name: `rest`, `grpc`, `monitoring`."""
    reached_from_outside: bool = False
    """Whether the Service itself takes traffic from outside the cluster (NodePort, LoadBalancer)."""
    request_timeout_seconds: int = 30
    """Longest request of the API layer."""
    further_metrics_ports: tuple[int, ...] = ()
    """Ports beside `monitoring` that monitoring may read: TensorFlow Serving's own."""
    exposure: ExposureConfig = field(default_factory=ExposureConfig)
    """Who may come in, and by which name."""
    canary: CanaryBackend | None = None
    """A version on trial; it has the same doors."""


class Exposure(pulumi.ComponentResource):
    """Network policy and routes of one model."""

    def __init__(self, name: str, args: ExposureArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfserving:exposure:Exposure", name, None, opts)
        metadata = ObjectMetaArgs(
            name=args.instance, namespace=args.namespace, labels=naming.labels(args.instance)
        )
        child = pulumi.ResourceOptions(parent=self)
        for instance, suffix in _instances(args) if args.exposure.network_policies else ():
            NetworkPolicy(
                f"{name}-doors{suffix}",
                metadata=ObjectMetaArgs(
                    name=instance, namespace=args.namespace, labels=naming.labels(instance)
                ),
                spec=_doors(args, instance),
                opts=child,
            )
        if args.exposure.gateway:
            for kind, spec in (("HTTPRoute", _http_route(args)), ("GRPCRoute", _grpc_route(args))):
                CustomResource(
                    f"{name}-{kind.lower()}",
                    api_version=_GATEWAY_API,
                    kind=kind,
                    metadata=metadata,
                    spec=spec,
                    opts=child,
                )
        if args.exposure.ingress_class:
            Ingress(f"{name}-ingress", metadata=metadata, spec=_ingress(args), opts=child)
        self.register_outputs({})


def default_deny(name: str, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions) -> NetworkPolicy:
    """Declare the policy that closes a whole namespace; what is open is opened by an Exposure."""
    return NetworkPolicy(
        f"{name}-deny",
        metadata=ObjectMetaArgs(name=naming.DENY_ALL, namespace=namespace, labels=naming.shared_labels()),
        spec=NetworkPolicySpecArgs(pod_selector=LabelSelectorArgs(), policy_types=["Ingress", "Egress"]),
        opts=opts,
    )


def _instances(args: ExposureArgs) -> list[tuple[str, str]]:
    """Return what has doors, with what its resources are called after the model's own."""
    canary = [(args.canary.instance, naming.suffix(naming.CANARY))] if args.canary else []
    return [(args.instance, ""), *canary]


def _doors(args: ExposureArgs, instance: str) -> NetworkPolicySpecArgs:
    monitors = _namespaces(args.exposure.monitoring_namespaces)
    metrics_ports = [
        *_ports(args, "monitoring"),
        *(NetworkPolicyPortArgs(port=port, protocol="TCP") for port in args.further_metrics_ports),
    ]
    clients = NetworkPolicyIngressRuleArgs(from_=_clients(args), ports=_ports(args, "rest", "grpc"))
    # A rule with an empty list of peers would be open to all of them.
    metrics = [NetworkPolicyIngressRuleArgs(from_=monitors, ports=metrics_ports)] if monitors else []
    return NetworkPolicySpecArgs(
        pod_selector=LabelSelectorArgs(match_labels=naming.selector(instance)),
        policy_types=["Ingress"],
        ingress=[clients, *metrics],
    )


def _clients(args: ExposureArgs) -> list[NetworkPolicyPeerArgs] | None:
    if args.reached_from_outside:
        # A rule without peers: a client of a NodePort or LoadBalancer has any address at all, the node's included.
        return None
    allowed = args.exposure.client_namespaces
    gateway_namespace = args.exposure.gateway.partition("/")[0]
    if not allowed:
        return [NetworkPolicyPeerArgs(namespace_selector=LabelSelectorArgs())]
    return _namespaces((*allowed, gateway_namespace) if gateway_namespace else allowed)


def _namespaces(names: tuple[str, ...]) -> list[NetworkPolicyPeerArgs]:
    return [
        NetworkPolicyPeerArgs(
            namespace_selector=LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": name})
        )
        for name in dict.fromkeys(names)
    ]


def _ports(args: ExposureArgs, *names: str) -> list[NetworkPolicyPortArgs]:
    return [NetworkPolicyPortArgs(port=args.ports[name], protocol="TCP") for name in names]


def _http_route(args: ExposureArgs) -> dict[str, Any]:
    rule = {
        "matches": [
            *({"path": {"type": "PathPrefix", "value": path}} for path in _prefixes(args.model)),
            *({"path": {"type": "Exact", "value": path}} for path in _exact_paths(args.model)),
        ],
        **_backends(args, "rest"),
        "timeouts": {"request": f"{args.request_timeout_seconds + _ROUTE_MARGIN_SECONDS}s"},
    }
    return {**_route(args), "rules": [rule]}


def _prefixes(model: str) -> list[str]:
    # One host may carry several models: the model's name is in the path.
    return [f"/v1/models/{model}", f"/v2/models/{model}"]


def _exact_paths(model: str) -> list[str]:
    # A prefix is compared element by element: `mnist:predict` is another one than `mnist`, and would be nobody's.
    return [f"/v1/models/{model}:{verb}" for verb in _PREDICTIONS]


def _grpc_route(args: ExposureArgs) -> dict[str, Any]:
    rule = {
        # By service, not by host alone: reflection and whatever else the server may answer stays inside.
        "matches": [{"method": {"service": service}} for service in _GRPC_SERVICES],
        **_backends(args, "grpc"),
    }
    return {**_route(args), "rules": [rule]}


def _backends(args: ExposureArgs, port: str) -> dict[str, Any]:
    """Return where a rule leads: to the model's Service; with a canary, to both by weight and, as a copy, to the canary."""
    stable: dict[str, Any] = {"name": args.service, "port": args.ports[port]}
    if args.canary is None:
        return {"backendRefs": [stable]}
    canary = {"name": args.canary.service, "port": args.ports[port]}
    weight, shadow = args.canary.weight_percent, args.canary.shadow_percent
    # Without a percentage a mirror copies everything, which every implementation knows; parts of it are of Gateway API 1.3.
    mirror = {"backendRef": canary, **({"percent": shadow} if shadow < 100 else {})}
    copies = [{"type": "RequestMirror", "requestMirror": mirror}] if shadow else []
    backends = [{**stable, "weight": 100 - weight}, {**canary, "weight": weight}] if weight else [stable]
    return {"backendRefs": backends, **({"filters": copies} if copies else {})}


def _route(args: ExposureArgs) -> dict[str, Any]:
    namespace, _, name = args.exposure.gateway.partition("/")
    return {"parentRefs": [{"namespace": namespace, "name": name}], "hostnames": [args.exposure.host]}


def _ingress(args: ExposureArgs) -> IngressSpecArgs:
    backend = IngressBackendArgs(
        service=IngressServiceBackendArgs(name=args.service, port=ServiceBackendPortArgs(name="rest"))
    )
    paths = [
        *(("Prefix", path) for path in _prefixes(args.model)),
        *(("Exact", path) for path in _exact_paths(args.model)),
    ]
    tls = [IngressTLSArgs(hosts=[args.exposure.host], secret_name=args.exposure.tls_secret)]
    return IngressSpecArgs(
        ingress_class_name=args.exposure.ingress_class,
        tls=tls if args.exposure.tls_secret else None,
        rules=[
            IngressRuleArgs(
                host=args.exposure.host,
                http=HTTPIngressRuleValueArgs(
                    paths=[
                        HTTPIngressPathArgs(path=path, path_type=path_type, backend=backend)
                        for path_type, path in paths
                    ]
                ),
            )
        ],
    )

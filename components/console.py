"""ConsoleDoor: a way to the console's port from outside the cluster, apart from the Service that clients use.

Only made where `server.consoleNodePort` asks for it. Without it nothing leads to that port but `kubectl port-forward`, which needs the
rights of an operator.
"""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import Service, ServicePortArgs, ServiceSpecArgs
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicy,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

from components import naming


@dataclass(frozen=True, kw_only=True)
class ConsoleDoorArgs:
    """The console of one model."""

    namespace: pulumi.Input[str]
    """Namespace of the server."""
    instance: str
    """DNS label of the model."""
    port: int
    """Port inside the pod."""
    node_port: int
    """Port on every node."""
    network_policies: bool
    """Whether the namespace is closed, so that the door needs a policy."""


class ConsoleDoor(pulumi.ComponentResource):
    """Service and network policy of the console."""

    def __init__(self, name: str, args: ConsoleDoorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfserving:console:ConsoleDoor", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        Service(f"{name}-service", metadata=_metadata(args), spec=_service(args), opts=child)
        if args.network_policies:
            NetworkPolicy(f"{name}-doors", metadata=_metadata(args), spec=_policy(args), opts=child)
        self.register_outputs({})


def _metadata(args: ConsoleDoorArgs) -> ObjectMetaArgs:
    return ObjectMetaArgs(
        name=naming.console(args.instance),
        namespace=args.namespace,
        labels=naming.labels(args.instance),
        # The pods may be older or younger than this Service: Pulumi's wait for endpoints would tell nothing about it.
        annotations={"pulumi.com/skipAwait": "true"},
    )


def _service(args: ConsoleDoorArgs) -> ServiceSpecArgs:
    return ServiceSpecArgs(
        type="NodePort",
        selector=naming.selector(args.instance),
        ports=[
            ServicePortArgs(
                name="console",
                port=args.port,
                target_port=args.port,
                node_port=args.node_port,
                protocol="TCP",
                app_protocol="http",
            )
        ],
        # One person's questions and their answers come from one pod, so that what is kept is found again.
        session_affinity="ClientIP",
    )


def _policy(args: ConsoleDoorArgs) -> NetworkPolicySpecArgs:
    port = NetworkPolicyPortArgs(port=args.port, protocol="TCP")
    return NetworkPolicySpecArgs(
        pod_selector=LabelSelectorArgs(match_labels=naming.selector(args.instance)),
        policy_types=["Ingress"],
        # Without peers: a client of a NodePort has any address at all.
        ingress=[NetworkPolicyIngressRuleArgs(ports=[port])],
    )

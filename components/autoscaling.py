"""Autoscaler: the number of pods follows the load, and no drain of a node takes the last good pod.

One owner: a HorizontalPodAutoscaler of our own, or a ScaledObject, from which KEDA makes one; never both. The measure is the CPU of the
server container, requests in flight, the wait for the model, or several of them, of which the highest demand wins. Adding is quick and
bounded, because every new pod loads a model; removing waits, because a removed pod has to load it again.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from components import naming, scaling
from components.config import AutoscalingConfig

_KEDA_API: Final = "keda.sh/v1alpha1"
_TAKES_OVER: Final = {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}
"""Where `hpa` was the scaler before, KEDA takes its HorizontalPodAutoscaler over by name; its webhook refuses a second one beside it.
Source: keda.sh, "Scaling Deployments, StatefulSets & Custom Resources", transfer ownership of an existing HPA."""
_POLLING_SECONDS: Final = 15
"""As often as the HorizontalPodAutoscaler's own controller looks."""


@dataclass(frozen=True, kw_only=True)
class AutoscalerArgs:
    """Scaling and disruption budget of one Deployment."""

    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    instance: str
    """DNS label of the Deployment's objects."""
    deployment_name: pulumi.Input[str]
    """Deployment whose scale is owned."""
    model: str = ""
    """Name of the model in metrics, which KEDA asks for."""
    namespace_name: str = ""
    """The namespace as a plain name, for the same questions."""
    container: str = "server"
    """Container whose CPU is the measure."""
    load_seconds: int = 20
    """Start to ready: no further pods are added or removed before the last ones could help."""
    autoscaling: AutoscalingConfig = field(default_factory=AutoscalingConfig)
    """Bounds, targets and windows; a fixed number of pods where it is off."""


class Autoscaler(pulumi.ComponentResource):
    """HorizontalPodAutoscaler or ScaledObject, where autoscaling is on, and PodDisruptionBudget, always."""

    min_replicas: pulumi.Output[int]
    """Fewest pods."""
    max_replicas: pulumi.Output[int]
    """Most pods."""

    def __init__(self, name: str, args: AutoscalerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfserving:autoscaling:Autoscaler", name, None, opts)
        metadata = ObjectMetaArgs(
            name=args.instance, namespace=args.namespace, labels=naming.labels(args.instance)
        )
        child = pulumi.ResourceOptions(parent=self)
        self.budget = PodDisruptionBudget(f"{name}-budget", metadata=metadata, spec=_budget(args), opts=child)
        if args.autoscaling.enabled and args.autoscaling.scaler == "hpa":
            HorizontalPodAutoscaler(f"{name}-hpa", metadata=metadata, spec=_hpa(args), opts=child)
        elif args.autoscaling.enabled:
            CustomResource(
                f"{name}-scaledobject",
                api_version=_KEDA_API,
                kind="ScaledObject",
                metadata=ObjectMetaArgs(
                    name=args.instance,
                    namespace=args.namespace,
                    labels=naming.labels(args.instance),
                    annotations=_TAKES_OVER,
                ),
                spec=_scaled_object(args),
                opts=child,
            )
        self.min_replicas = pulumi.Output.from_input(args.autoscaling.min_replicas)
        self.max_replicas = pulumi.Output.from_input(args.autoscaling.max_replicas)
        self.register_outputs({"min_replicas": self.min_replicas, "max_replicas": self.max_replicas})


def _budget(args: AutoscalerArgs) -> PodDisruptionBudgetSpecArgs:
    return PodDisruptionBudgetSpecArgs(
        # `maxUnavailable`, never `minAvailable`: with one replica the latter would block every drain of its node for ever.
        max_unavailable=1,
        # A pod that never became ready must not keep its node from being drained.
        unhealthy_pod_eviction_policy="AlwaysAllow",
        selector=LabelSelectorArgs(match_labels=naming.selector(args.instance)),
    )


def _hpa(args: AutoscalerArgs) -> dict[str, Any]:
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": args.deployment_name},
        "minReplicas": args.autoscaling.min_replicas,
        "maxReplicas": args.autoscaling.max_replicas,
        "metrics": scaling.metrics(args.autoscaling, args.container),
        "behavior": scaling.behavior(args.autoscaling, args.load_seconds),
    }


def _scaled_object(args: AutoscalerArgs) -> dict[str, Any]:
    return {
        "scaleTargetRef": {"name": args.deployment_name},
        "minReplicaCount": args.autoscaling.min_replicas,
        "maxReplicaCount": args.autoscaling.max_replicas,
        "pollingInterval": _POLLING_SECONDS,
        "advanced": {
            "horizontalPodAutoscalerConfig": {
                # The name of our own, which is the one that is taken over, and that dashboards know.
                "name": args.instance,
                "behavior": scaling.behavior(args.autoscaling, args.load_seconds),
            }
        },
        "triggers": scaling.triggers(
            args.autoscaling,
            container=args.container,
            model=args.model,
            namespace=args.namespace_name,
            deployment=args.instance,
        ),
    }

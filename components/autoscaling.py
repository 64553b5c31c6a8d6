"""Autoscaler: the number of pods follows the load, and no drain of a node takes the last good pod.

The metric is the CPU of the server container, in percent of its request: the API layer and the model share it on CPU nodes. Adding
is quick and bounded, because every new pod loads a model; removing waits, because a removed pod has to load it again.
"""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.autoscaling.v2 import (
    ContainerResourceMetricSourceArgs,
    CrossVersionObjectReferenceArgs,
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerBehaviorArgs,
    HorizontalPodAutoscalerSpecArgs,
    HPAScalingPolicyArgs,
    HPAScalingRulesArgs,
    MetricSpecArgs,
    MetricTargetArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from components import naming
from components.config import AutoscalingConfig

_SHORTEST_PERIOD_SECONDS: Final = 15
"""How often the controller looks; a shorter policy period would be the same."""


@dataclass(frozen=True, kw_only=True)
class AutoscalerArgs:
    """Scaling and disruption budget of one Deployment."""

    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    instance: str
    """DNS label of the model."""
    deployment_name: pulumi.Input[str]
    """Deployment whose scale is owned."""
    container: str
    """Container whose CPU is the measure."""
    load_seconds: int
    """Start to ready: no further pods are added or removed before the last ones could help."""
    autoscaling: AutoscalingConfig
    """Bounds, target and windows; a fixed number of pods where it is off."""


class Autoscaler(pulumi.ComponentResource):
    """HorizontalPodAutoscaler, where autoscaling is on, and PodDisruptionBudget, always."""

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
        if args.autoscaling.enabled:
            self.scaler = HorizontalPodAutoscaler(
                f"{name}-hpa", metadata=metadata, spec=_scaler(args), opts=child
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


def _scaler(args: AutoscalerArgs) -> HorizontalPodAutoscalerSpecArgs:
    return HorizontalPodAutoscalerSpecArgs(
        scale_target_ref=CrossVersionObjectReferenceArgs(
            api_version="apps/v1", kind="Deployment", name=args.deployment_name
        ),
        min_replicas=args.autoscaling.min_replicas,
        max_replicas=args.autoscaling.max_replicas,
        metrics=[_container_cpu(args.container, args.autoscaling.cpu_percent)],
        behavior=HorizontalPodAutoscalerBehaviorArgs(scale_up=_scale_up(args), scale_down=_scale_down(args)),
    )


def _container_cpu(container: str, percent: int) -> MetricSpecArgs:
    # Of one container, not of the pod: a sidecar that idles would halve the figure (stable since Kubernetes 1.30).
    target = MetricTargetArgs(type="Utilization", average_utilization=percent)
    return MetricSpecArgs(
        type="ContainerResource",
        container_resource=ContainerResourceMetricSourceArgs(name="cpu", container=container, target=target),
    )


def _scale_up(args: AutoscalerArgs) -> HPAScalingRulesArgs:
    """Double, or two pods, whichever is more, and then wait until they could have started to help."""
    period = max(_SHORTEST_PERIOD_SECONDS, args.load_seconds)
    return HPAScalingRulesArgs(
        stabilization_window_seconds=args.autoscaling.scale_up_seconds,
        select_policy="Max",
        policies=[
            HPAScalingPolicyArgs(type="Pods", value=2, period_seconds=period),
            HPAScalingPolicyArgs(type="Percent", value=100, period_seconds=period),
        ],
    )


def _scale_down(args: AutoscalerArgs) -> HPAScalingRulesArgs:
    """One pod at a time, no faster than one could be brought back."""
    period = max(_SHORTEST_PERIOD_SECONDS, 2 * args.load_seconds)
    return HPAScalingRulesArgs(
        stabilization_window_seconds=args.autoscaling.scale_down_seconds,
        select_policy="Min",
        policies=[HPAScalingPolicyArgs(type="Pods", value=1, period_seconds=period)],
    )

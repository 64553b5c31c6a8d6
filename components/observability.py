"""Observability: what Prometheus should read of a model, when it should call somebody, and what Grafana shows.

PodMonitor and PrometheusRule are custom resources of the Prometheus operator and are declared only where asked for: where their definitions
are missing, `pulumi up` would fail. Pods are scraped themselves, on the monitoring port, because that port is in no Service.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components import health, naming
from components.alerts import Watched, alerts
from components.config import ObservabilityConfig
from components.dashboard import LABELS, dashboard

_OPERATOR_API: Final = "monitoring.coreos.com/v1"
_SCRAPE_SECONDS: Final = 15
_SAMPLE_LIMIT: Final = 5_000
"""A pod of one model shows some hundred series. Beyond this a label has gone wild, and Prometheus should refuse it."""


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """One model in one namespace."""

    namespace: str
    """Namespace of the pods."""
    instance: str
    """DNS label of the model."""
    model: str
    """Name of the model in metrics."""
    tracks: int = 1
    """Versions that are meant to answer side by side: one, or two while a canary is on trial."""
    load_seconds: int = 20
    """Longest normal time to ready; alerts wait longer."""
    max_queue_requests: int = 2_048
    """Length of the queue at which requests are refused."""
    observability: ObservabilityConfig = field(default_factory=ObservabilityConfig)
    """What is asked for, and the objectives."""


class Observability(pulumi.ComponentResource):
    """PodMonitor, PrometheusRule and dashboard, each where asked for."""

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tfserving:observability:Observability", name, None, opts)
        wanted = {
            "PodMonitor": (args.observability.pod_monitor, pod_monitor(args)),
            "PrometheusRule": (
                args.observability.alerts,
                {"groups": [{"name": args.instance, "rules": alerts(_watched(args))}]},
            ),
        }
        labels = {**naming.labels(args.instance), **args.observability.labels}
        for kind, (is_wanted, spec) in wanted.items():
            if is_wanted:
                CustomResource(
                    f"{name}-{kind.lower()}",
                    api_version=_OPERATOR_API,
                    kind=kind,
                    metadata=ObjectMetaArgs(name=args.instance, namespace=args.namespace, labels=labels),
                    spec=spec,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        if args.observability.dashboard:
            ConfigMap(
                f"{name}-dashboard",
                metadata=ObjectMetaArgs(
                    name=f"{args.instance}-dashboard", namespace=args.namespace, labels={**labels, **LABELS}
                ),
                data={f"{args.instance}.json": _dashboard(args)},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def pod_monitor(args: ObservabilityArgs) -> dict[str, Any]:
    """Return the spec of the PodMonitor."""
    return {
        "selector": {"matchLabels": naming.model_selector(args.instance)},
        "podTargetLabels": [naming.TRACK_LABEL],
        "sampleLimit": _SAMPLE_LIMIT,
        "podMetricsEndpoints": [
            {"port": health.MONITORING_PORT_NAME, "path": "/metrics", "interval": f"{_SCRAPE_SECONDS}s"}
        ],
    }


def _watched(args: ObservabilityArgs) -> Watched:
    return Watched(
        namespace=args.namespace,
        model=args.model,
        tracks=args.tracks,
        load_seconds=args.load_seconds,
        max_queue_requests=args.max_queue_requests,
        goal=args.observability,
    )


def _dashboard(args: ObservabilityArgs) -> str:
    return dashboard(namespace=args.namespace, model=args.model, instance=args.instance)

"""Observability: what Prometheus should read of a model, and when it should call somebody.

Both are custom resources of the Prometheus operator and are declared only where asked for: where their definitions are missing, `pulumi
up` would fail. Pods are scraped themselves, on the monitoring port, because that port is in no Service. Alerts speak of symptoms that
clients notice first, then of causes; each says what to look at.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components import health, naming
from components.config import ObservabilityConfig

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
    """PodMonitor and PrometheusRule, each where asked for."""

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tfserving:observability:Observability", name, None, opts)
        wanted = {
            "PodMonitor": (args.observability.pod_monitor, pod_monitor(args)),
            "PrometheusRule": (
                args.observability.alerts,
                {"groups": [{"name": args.instance, "rules": alerts(args)}]},
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


def alerts(args: ObservabilityArgs) -> list[dict[str, Any]]:
    """Return the rules, symptoms before causes."""
    of = f'{{namespace="{args.namespace}",model="{args.model}"}}'
    failed = f'{{namespace="{args.namespace}",model="{args.model}",code=~"5..|INTERNAL|UNAVAILABLE|UNKNOWN|13|14|2"}}'
    goal = args.observability
    return [
        _alert(
            "ModelFails",
            f"sum(rate(tfsp_requests_total{failed}[5m])) / sum(rate(tfsp_requests_total{of}[5m])) > {goal.error_percent / 100:g}",
            wait_seconds=300,
            severity="page",
            summary=f"More than {goal.error_percent} % of requests to {args.model} fail; see the pods' logs.",
        ),
        _alert(
            "ModelIsSlow",
            f"histogram_quantile(0.99, sum by (le) (rate(tfsp_request_seconds_bucket{of}[5m]))) "
            f"> {goal.latency_milliseconds / 1_000:g}",
            wait_seconds=600,
            severity="page",
            summary=f"One in a hundred requests to {args.model} takes over {goal.latency_milliseconds} ms; see queue and batch size.",
        ),
        _alert(
            "ModelQueueIsFilling",
            f"max(tfsp_queue_requests{of}) > {args.max_queue_requests // 2}",
            wait_seconds=60,
            severity="page",
            summary=f"Half of the queue of {args.model} is in use; at {args.max_queue_requests} requests are refused. Raise maxReplicas.",
        ),
        _alert(
            "ModelVersionNotAvailable",
            f"max by (pod, version) (tfsp_model_version_state{of}) != 30",
            wait_seconds=2 * args.load_seconds + 60,
            severity="ticket",
            summary=f"A version of {args.model} does not load; the former pods go on answering. See the pod's log.",
        ),
        _alert(
            "ModelVersionsDiffer",
            f"count(count by (version) (tfsp_model_version_state{of} == 30)) > {args.tracks}",
            wait_seconds=1_800,
            severity="ticket",
            summary=f"Pods of {args.model} have answered with more versions than are meant to for half an hour; a rollout hangs. Run `pulumi up`.",
        ),
    ]


def _alert(name: str, expression: str, *, wait_seconds: int, severity: str, summary: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": f"{wait_seconds}s",
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }

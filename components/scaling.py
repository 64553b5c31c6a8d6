"""What an autoscaler measures, and how patient it is: plain values, from which a HorizontalPodAutoscaler or KEDA's ScaledObject is made.

Both application measures are averages over time by Little's law (L = λW; J. D. C. Little, Operations Research 9, 1961), from series
that the API layer has anyway. Requests in flight: the seconds spent on requests in a second. The wait for the model: those that wait,
divided by those answered in a second. Neither is a sample of one moment, so a burst between two scrapes is not missed.
"""

from typing import Any, Final

from components.config import AutoscalingConfig

WINDOW: Final = "1m"
"""Four scrapes at 15 s: one that is missed leaves an average all the same."""
IN_FLIGHT_METRIC: Final = "tfsp_in_flight_requests"
QUEUE_WAIT_METRIC: Final = "tfsp_queue_wait_seconds"
"""Names under which a metrics adapter is to serve them for each pod; its rules are in docs/components.md."""
_SHORTEST_PERIOD_SECONDS: Final = 15
"""How often the controller looks; a shorter policy period would be the same."""
_SCALE_DOWN_SECONDS: Final = 300
"""Kubernetes' own default. A model that loads longer is kept longer: five loads, so that a wave is not followed by one of loading."""


def behavior(autoscaling: AutoscalingConfig, load_seconds: int) -> dict[str, Any]:
    """Return the `behavior` of `autoscaling/v2`: pods are added no faster than they load, and taken away one by one."""
    up_period = max(_SHORTEST_PERIOD_SECONDS, load_seconds)
    down_period = max(_SHORTEST_PERIOD_SECONDS, 2 * load_seconds)
    return {
        # Double, or two pods, whichever is more, and then wait until they could have started to help.
        "scaleUp": {
            "stabilizationWindowSeconds": autoscaling.scale_up_seconds
            or max(_SHORTEST_PERIOD_SECONDS, load_seconds // 4),
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 2, "periodSeconds": up_period},
                {"type": "Percent", "value": 100, "periodSeconds": up_period},
            ],
        },
        # One pod at a time, no faster than one could be brought back.
        "scaleDown": {
            "stabilizationWindowSeconds": autoscaling.scale_down_seconds
            or max(_SCALE_DOWN_SECONDS, 5 * load_seconds),
            "selectPolicy": "Min",
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": down_period}],
        },
    }


def metrics(autoscaling: AutoscalingConfig, container: str) -> list[dict[str, Any]]:
    """Return the `metrics` of `autoscaling/v2`; those of the application come from a metrics adapter."""
    pods = {
        IN_FLIGHT_METRIC: str(autoscaling.in_flight_requests),
        QUEUE_WAIT_METRIC: f"{autoscaling.queue_wait_milliseconds}m",  # thousandths, as Kubernetes writes quantities
    }
    return [
        *([_container_cpu(container, autoscaling.cpu_percent)] if autoscaling.cpu_percent else []),
        *(_of_pods(name, target) for name, target in pods.items() if target not in {"0", "0m"}),
    ]


def triggers(
    autoscaling: AutoscalingConfig, *, container: str, model: str, namespace: str, deployment: str
) -> list[dict[str, Any]]:
    """Return the `triggers` of a ScaledObject: KEDA asks Prometheus itself and needs no adapter."""
    of = f'{{namespace="{namespace}",model="{model}",pod=~"{deployment}-[^-]+-[^-]+"}}'
    answered = f"clamp_min(sum(rate(tfsp_requests_total{of}[{WINDOW}])), 0.001)"
    waiting = f"sum(avg_over_time(tfsp_queue_requests{of}[{WINDOW}]))"
    url, wait_milliseconds = autoscaling.prometheus_url, autoscaling.queue_wait_milliseconds
    found = []
    if autoscaling.cpu_percent:
        metadata = {"value": str(autoscaling.cpu_percent), "containerName": container}
        found.append({"type": "cpu", "metricType": "Utilization", "metadata": metadata})
    if autoscaling.in_flight_requests:
        query = f"sum(rate(tfsp_request_seconds_sum{of}[{WINDOW}]))"
        found.append(_prometheus(url, query, autoscaling.in_flight_requests, "AverageValue"))
    if wait_milliseconds:
        found.append(_prometheus(url, f"1000 * {waiting} / {answered}", wait_milliseconds, "Value"))
    return found


def _container_cpu(container: str, percent: int) -> dict[str, Any]:
    # Of one container, not of the pod: a sidecar that idles would halve the figure (stable since Kubernetes 1.30).
    target = {"type": "Utilization", "averageUtilization": percent}
    return {
        "type": "ContainerResource",
        "containerResource": {"name": "cpu", "container": container, "target": target},
    }


def _of_pods(name: str, target: str) -> dict[str, Any]:
    return {
        "type": "Pods",
        "pods": {"metric": {"name": name}, "target": {"type": "AverageValue", "averageValue": target}},
    }


def _prometheus(url: str, query: str, threshold: int, metric_type: str) -> dict[str, Any]:
    # KEDA takes a missing series for 0 unless told otherwise, and would take pods away because Prometheus lost sight of them.
    metadata = {
        "serverAddress": url,
        "query": query,
        "threshold": str(threshold),
        "ignoreNullValues": "false",
    }
    return {"type": "prometheus", "metricType": metric_type, "metadata": metadata}

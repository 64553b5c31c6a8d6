"""Kubernetes objects, as `kubectl get --output json` prints them, to the report's values: pure functions.

Only fields of the stable APIs are read (v1, apps/v1, autoscaling/v2); what is missing counts as unknown and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from launch.status.advice import advice
from launch.status.report import Autoscaler, Pod, Problem

Json = Mapping[str, Any]  # JSON from kubectl

INSTANCE: Final = "app.kubernetes.io/instance"
VERSION: Final = "app.kubernetes.io/version"
DIGEST: Final = "tf-serving-platform/model-digest"
_MOST_EVENTS: Final = 5
_TRUE_WHEN_WELL: Final = {"AbleToScale", "ScalingActive"}
_FIGURES_WITHIN: Final = timedelta(seconds=90)
"""The use of CPU is the difference of two measurements of a pod that the kubelet and the metrics API each take every 15 s or so."""


def of_kind(items: Iterable[Json], kind: str) -> list[Json]:
    """Return the objects of one kind, in the order given."""
    return [item for item in items if item.get("kind") == kind]


def pod(item: Json) -> Pod:
    """Return what counts about a pod."""
    metadata, status = item["metadata"], item.get("status", {})
    labels = metadata.get("labels", {})
    is_ready = any(
        each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", [])
    )
    is_leaving = "deletionTimestamp" in metadata
    return Pod(
        name=metadata["name"],
        model=labels.get(INSTANCE, ""),
        version=labels.get(VERSION, ""),
        is_ready=is_ready and not is_leaving,
        phase="Terminating" if is_leaving else status.get("phase", "Unknown"),
        restarts=sum(each.get("restartCount", 0) for each in status.get("containerStatuses", [])),
        reasons=() if is_ready or is_leaving else tuple(dict.fromkeys(_pod_reasons(status))),
    )


def autoscaler(item: Json, now: datetime) -> Autoscaler:
    """Return the figures of a HorizontalPodAutoscaler (autoscaling/v2); one that waits for the first figure of a new pod is well."""
    spec, status = item["spec"], item.get("status", {})
    return Autoscaler(
        name=item["metadata"]["name"],
        pods=status.get("currentReplicas", 0),
        wanted_pods=status.get("desiredReplicas", 0),
        min_pods=spec.get("minReplicas", 1),
        max_pods=spec["maxReplicas"],
        metrics=tuple(_metrics(spec.get("metrics", []), status.get("currentMetrics") or [])),
        reasons=tuple(_scaling_reasons(status.get("conditions", []), now)),
    )


def deployment_digest(item: Json) -> str:
    """Return the model digest that a Deployment's pods were told to serve."""
    annotations = item["spec"]["template"]["metadata"].get("annotations", {})
    return str(annotations.get(DIGEST, ""))


def problems(items: Sequence[Json], now: datetime) -> list[Problem]:
    """Return what is wrong with pods, autoscalers and ReplicaSets, each with what to do next."""
    found: list[Problem] = []
    for each in map(pod, of_kind(items, "Pod")):
        found += [_problem(f"pod {each.name}", reason) for reason in each.reasons]
    for item in of_kind(items, "HorizontalPodAutoscaler"):
        scaler = autoscaler(item, now)
        found += [_problem(f"autoscaler {scaler.name}", reason) for reason in scaler.reasons]
    for item in of_kind(items, "ReplicaSet"):
        found += [
            _problem(f"replica set {item['metadata']['name']}", each.get("message", ""))
            for each in item.get("status", {}).get("conditions", [])
            if each["type"] == "ReplicaFailure" and each["status"] == "True"
        ]
    return found


def latest_warnings(items: Sequence[Json], *, living: set[str]) -> list[Problem]:
    """Return the newest warnings among events, about objects that are still there; the same words once."""
    warnings = [
        event
        for event in of_kind(items, "Event")
        if event.get("type") == "Warning" and event["involvedObject"].get("name") in living
    ]
    warnings.sort(key=_last_seen, reverse=True)
    found = {
        (event["involvedObject"]["name"], event.get("reason", "")): _problem(
            f"{event['involvedObject'].get('kind', '').lower()} {event['involvedObject']['name']}",
            f"{event.get('reason', '')}: {event.get('message', '').strip()} ({_last_seen(event)})",
        )
        for event in reversed(warnings)
    }
    return list(reversed(found.values()))[:_MOST_EVENTS]


def _problem(where: str, what: str) -> Problem:
    return Problem(where=where, what=what, todo=advice(what).replace("POD", where.rpartition(" ")[2]))


def _pod_reasons(status: Json) -> Iterator[str]:
    """The most telling first: a container's own reason, then the scheduler's, then the condition's."""
    told = False
    for container in status.get("containerStatuses", []):
        state = container.get("state", {})
        before = container.get("lastState", {}).get("terminated")
        for kind in ("waiting", "terminated"):
            if kind in state:
                told = True
                yield _sentence(state[kind])
        if before:
            yield f"before: {_sentence(before)}"
    for condition in status.get("conditions", []):
        if condition["status"] != "False":
            continue
        if condition["type"] == "PodScheduled":
            told = True
            yield f"no node can take it: {condition.get('message', '')}"
        elif condition["type"] == "ContainersReady" and not told:
            yield condition.get("message", condition.get("reason", ""))
    if status.get("reason"):
        yield f"{status['reason']}: {status.get('message', '')}"


def _sentence(state: Json) -> str:
    """`CrashLoopBackOff: back-off 40s …`, or `OOMKilled, exit code 137`."""
    reason = state.get("reason", "unknown")
    code = f", exit code {state['exitCode']}" if "exitCode" in state else ""
    message = " ".join(state.get("message", "").split())
    return f"{reason}{code}" + (f": {message[-300:]}" if message else "")


def _metrics(wanted: Sequence[Json], current: Sequence[Json]) -> Iterator[str]:
    measured = {_metric_name(each): _figure(_metric_part(each).get("current", {})) for each in current}
    for each in wanted:
        name = _metric_name(each)
        target = _figure(_metric_part(each).get("target", {}))
        yield f"{name} {measured.get(name, 'unknown')} of {target}"


def _metric_part(metric: Json) -> Json:
    """The one field that is named after the metric's type: `resource`, `containerResource`, `pods`, …"""
    kind = metric.get("type", "")
    part = metric.get(kind[:1].lower() + kind[1:])
    return part if isinstance(part, Mapping) else {}


def _metric_name(metric: Json) -> str:
    part = _metric_part(metric)
    return str(part.get("name") or part.get("metric", {}).get("name", "metric"))


def _figure(value: Json) -> str:
    if "averageUtilization" in value:
        return f"{value['averageUtilization']} %"
    return str(value.get("averageValue") or value.get("value") or "unknown")


def _scaling_reasons(conditions: Sequence[Json], now: datetime) -> Iterator[str]:
    for each in conditions:
        if each["type"] in _TRUE_WHEN_WELL and each["status"] == "False" and not _is_young(each, now):
            yield f"{each.get('reason', '')}: {each.get('message', '')}"
        if each["type"] == "ScalingLimited" and each.get("reason") == "TooManyReplicas":
            yield f"TooManyReplicas: {each.get('message', '')}"


def _is_young(condition: Json, now: datetime) -> bool:
    since = str(condition.get("lastTransitionTime") or "")
    is_without_figure = re.fullmatch(r"FailedGet\w*Metric", condition.get("reason", "")) is not None
    return is_without_figure and bool(since) and now - datetime.fromisoformat(since) < _FIGURES_WITHIN


def _last_seen(event: Json) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")

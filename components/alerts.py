"""When somebody should be called about a model: symptoms that clients notice first, then causes; each says what to look at.

The budget of errors is watched by its rate of burning, over a long window and a short one together: the long one so that a single bad
minute calls nobody, the short one so that the call ends with the trouble. Source: The Site Reliability Workbook, chapter 5, "Multiwindow,
Multi-Burn-Rate Alerts": 14.4 times over an hour spends 2 % of a month's budget, 6 times over six hours 5 %.
"""

from dataclasses import dataclass
from typing import Any, Final

from components.config import ObservabilityConfig

_FAILURES: Final = "5..|INTERNAL|UNAVAILABLE|UNKNOWN|13|14|2"
_BURNS: Final = (("Fast", 14.4, "1h", "5m"), ("Slow", 6.0, "6h", "30m"))
_TRACK: Final = "tf_serving_platform_track"
"""The pods' label, as Prometheus writes it."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One model, and what is normal for it."""

    namespace: str
    model: str
    """Name of the model in metrics."""
    tracks: int
    """Versions that are meant to answer side by side."""
    load_seconds: int
    """Longest normal time to ready; alerts wait longer."""
    max_queue_requests: int
    """Length of the queue at which requests are refused."""
    goal: ObservabilityConfig
    """The objectives."""


def alerts(watched: Watched) -> list[dict[str, Any]]:
    """Return the rules, symptoms before causes."""
    canary = [_canary_fails(watched)] if watched.tracks > 1 else []
    return [*_symptoms(watched), *canary, *_causes(watched)]


def _symptoms(watched: Watched) -> list[dict[str, Any]]:
    goal, model = watched.goal, watched.model
    return [
        _alert(
            "ModelFails",
            f"{_failed_share(watched, '5m')} > {goal.error_percent / 100:g}",
            wait_seconds=300,
            severity="page",
            summary=f"More than {goal.error_percent} % of requests to {model} fail; see the pods' logs.",
        ),
        *(_burns(watched, *burn) for burn in _BURNS),
        _alert(
            "ModelIsSlow",
            f"histogram_quantile(0.99, sum by (le) (rate(tfsp_request_seconds_bucket{_of(watched)}[5m]))) "
            f"> {goal.latency_milliseconds / 1_000:g}",
            wait_seconds=600,
            severity="page",
            summary=f"One in a hundred requests to {model} takes over {goal.latency_milliseconds} ms; see queue and batch size.",
        ),
    ]


def _causes(watched: Watched) -> list[dict[str, Any]]:
    model, most = watched.model, watched.max_queue_requests
    state = f"tfsp_model_version_state{_of(watched)}"
    return [
        _alert(
            "ModelQueueIsFilling",
            f"max(tfsp_queue_requests{_of(watched)}) > {most // 2}",
            wait_seconds=60,
            severity="page",
            summary=f"Half of the queue of {model} is in use; at {most} requests are refused. Raise maxReplicas.",
        ),
        _alert(
            "ModelVersionNotAvailable",
            f"max by (pod, version) ({state}) != 30",
            wait_seconds=2 * watched.load_seconds + 60,
            severity="ticket",
            summary=f"A version of {model} does not load; the former pods go on answering. See the pod's log.",
        ),
        _alert(
            "ModelVersionsDiffer",
            f"count(count by (version) ({state} == 30)) > {watched.tracks}",
            wait_seconds=1_800,
            severity="ticket",
            summary=f"Pods of {model} have answered with more versions than are meant to for half an hour; a rollout hangs. "
            "Run `pulumi up`.",
        ),
    ]


def _burns(watched: Watched, name: str, times: float, long: str, short: str) -> dict[str, Any]:
    available = watched.goal.availability_permille
    limit = f"{times * (1_000 - available) / 1_000:g}"
    return _alert(
        f"ModelBurnsItsBudget{name}",
        f"{_failed_share(watched, long)} > {limit} and {_failed_share(watched, short)} > {limit}",
        wait_seconds=60,
        severity="page",
        summary=f"{watched.model} spends its budget of errors ({available} of 1000 requests are to succeed) {times:g} times too fast.",
    )


def _canary_fails(watched: Watched) -> dict[str, Any]:
    canary, stable = (_failed_share(watched, "10m", track) for track in ("canary", "stable"))
    return _alert(
        "CanaryFailsMore",
        f"{canary} > 2 * ({stable}) + {watched.goal.error_percent / 100:g}",
        wait_seconds=300,
        severity="ticket",
        summary=f"The canary of {watched.model} fails more often than the stable version. Set canary.phase to aborted.",
    )


def _failed_share(watched: Watched, window: str, track: str = "") -> str:
    every = _of(watched, track)
    failed = f'{every[:-1]},code=~"{_FAILURES}"}}'
    # `or vector(0)`: where nothing failed there is no series, and a comparison with nothing is never true.
    failures = f"(sum(rate(tfsp_requests_total{failed}[{window}])) or vector(0))"
    return f"{failures} / sum(rate(tfsp_requests_total{every}[{window}]))"


def _of(watched: Watched, track: str = "") -> str:
    of_track = f',{_TRACK}="{track}"' if track else ""
    return f'{{namespace="{watched.namespace}",model="{watched.model}"{of_track}}}'


def _alert(name: str, expression: str, *, wait_seconds: int, severity: str, summary: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": f"{wait_seconds}s",
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }

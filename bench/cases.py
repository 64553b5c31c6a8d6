"""The gates: one case for each figure that the server promises, and the trials that it is computed from.

A ratio is `above` / `below`, so that it reads as the sentence does: "8x FastAPI" is FastAPI's CPU time over ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bench.figures import Gate, Reading


@dataclass(frozen=True, kw_only=True)
class Case:
    """One figure to be measured and judged."""

    name: str
    title: str
    above: Reading
    below: Reading | None = None
    gate: Gate

    @property
    def trials(self) -> tuple[str, ...]:
        """The trials that it is computed from, the peer's first."""
        return tuple(reading.trial for reading in (self.above, self.below) if reading is not None)


def _at_least(gate: float, goal: float) -> Gate:
    return Gate(gate=gate, goal=goal, better="higher")


def _at_most(gate: float, goal: float) -> Gate:
    return Gate(gate=gate, goal=goal, better="lower")


def _cpu(trial: str) -> Reading:
    return Reading(trial=trial, figure="cpu_us")


def _cheaper(name: str, title: str, peer: str, ours: str, gate: Gate) -> Case:
    return Case(name=name, title=title, above=_cpu(peer), below=_cpu(ours), gate=gate)


_QUEUE = "90 % small and 10 % large tasks at 80 % load"

SERVING: tuple[Case, ...] = (
    _cheaper("rest_fastapi", "REST softmax, uncached, 64 connections: FastAPI", "fastapi", "rest", _at_least(8, 12)),
    _cheaper("rest_mlserver", "the same: MLServer, batching", "mlserver", "rest", _at_least(12, 18)),
    _cheaper("rest_litserve", "the same: LitServe, batching", "litserve", "rest", _at_least(25, 40)),
    _cheaper("rest_bentoml", "the same: BentoML, batching", "bentoml", "rest", _at_least(25, 40)),
    _cheaper("cache_fastapi", "REST cache hit: FastAPI", "fastapi", "rest_cached", _at_least(25, 35)),
    _cheaper("cache_nginx", "REST cache hit over nginx answering a constant", "rest_cached", "nginx", _at_most(2, 1.2)),
    _cheaper("grpc_aio", "gRPC Predict, uncached: grpc.aio", "grpc_aio", "grpc", _at_least(12, 20)),
    _cheaper("grpc_sync", "gRPC Predict, uncached: grpc with threads", "grpc_sync", "grpc", _at_least(8, 14)),
    _cheaper("cnn_rest", "CNN over REST, share of bare TensorFlow at batch 32", "cnn_bare", "cnn_rest", _at_least(0.45, 0.6)),
    _cheaper("cnn_grpc", "CNN over gRPC, share of bare TensorFlow at batch 32", "cnn_bare", "cnn_grpc", _at_least(0.55, 0.75)),
    Case(
        name="one_client",
        title="one client, p50: FastAPI",
        above=Reading(trial="fastapi_one", figure="p50_ms"),
        below=Reading(trial="rest_one", figure="p50_ms"),
        gate=_at_least(2, 3),
    ),
    _cheaper("proxy_rest", "REST pass-through: FastAPI with httpx", "proxy_fastapi", "proxy_rest", _at_least(30, 100)),
    _cheaper("proxy_grpc", "gRPC pass-through: grpc.aio to grpc.aio", "proxy_aio", "proxy_grpc", _at_least(12, 25)),
    Case(
        name="queue_small_p50",
        title=f"{_QUEUE}: small p50, first in first out over ours",
        above=Reading(trial="queue_fifo", figure="small_p50_ms"),
        below=Reading(trial="queue_heap", figure="small_p50_ms"),
        gate=_at_least(3, 10),
    ),
    Case(
        name="queue_small_p99",
        title=f"{_QUEUE}: small p99, first in first out over ours",
        above=Reading(trial="queue_fifo", figure="small_p99_ms"),
        below=Reading(trial="queue_heap", figure="small_p99_ms"),
        gate=_at_least(2, 5),
    ),
    Case(
        name="queue_large_p99",
        title=f"{_QUEUE}: large p99, ours over first in first out",
        above=Reading(trial="queue_heap", figure="large_p99_ms"),
        below=Reading(trial="queue_fifo", figure="large_p99_ms"),
        gate=_at_most(1.5, 1.5),
    ),
    Case(
        name="start",
        title="start to first answer, MNIST, the container's files, seconds",
        above=Reading(trial="start", figure="seconds"),
        gate=_at_most(3, 1.5),
    ),
)  # fmt: skip


def select(cases: Sequence[Case], patterns: Sequence[str]) -> tuple[Case, ...]:
    """The cases that any pattern names (`rest_fastapi`, `grpc*`), in their own order; all for no pattern."""
    if not patterns:
        return tuple(cases)
    return tuple(case for case in cases if any(fnmatchcase(case.name, pattern) for pattern in patterns))

"""Counts requests and calls on the hot path, and hands the sums to Prometheus only when it asks.

prometheus_client takes a lock for each number it changes; a request changes four, which is a quarter of what
answering from memory costs, and a call of the model six. Here everything happens on the event loop, so plain integers
will do.
"""

import dataclasses
from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

Labels = tuple[str, str, str]
"""Model, method, transport."""

_NAMES = ("model", "method", "transport")


@dataclasses.dataclass(slots=True)
class Series:
    """The requests of one set of labels."""

    limits: tuple[float, ...]
    counts: list[int]
    """Requests by the bucket of their seconds; the last one is for those above all limits."""
    sum_seconds: float = 0.0
    codes: dict[str, int] = dataclasses.field(default_factory=dict)

    def count(self, code: str, seconds: float) -> None:
        """One answered request."""
        # A bucket holds what is at most its limit, as Prometheus defines `le`.
        self.counts[bisect_left(self.limits, seconds)] += 1
        self.sum_seconds += seconds
        self.codes[code] = self.codes.get(code, 0) + 1


class RequestTally(Collector):
    """Requests by status, and their seconds in buckets. Not for several threads."""

    def __init__(self, limits_seconds: tuple[float, ...]) -> None:
        self._limits = limits_seconds
        self._series: dict[Labels, Series] = {}

    def series(self, labels: Labels) -> Series:
        """Where requests with these labels are counted, for who has many of them."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = Series(self._limits, [0] * (len(self._limits) + 1))
        return series

    def count(self, labels: Labels, code: str, seconds: float) -> None:
        """One answered request."""
        self.series(labels).count(code, seconds)

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client calls when a page is written."""
        requests = CounterMetricFamily("tfsp_requests", "Answered requests.", labels=(*_NAMES, "code"))
        seconds = HistogramMetricFamily(
            "tfsp_request_seconds", "Time from the whole request read to its answer written.", labels=_NAMES
        )
        for labels, series in self._series.items():
            for code, count in series.codes.items():
                requests.add_metric((*labels, code), count)
            seconds.add_metric(labels, _cumulate(self._limits, series.counts), series.sum_seconds)
        yield requests
        yield seconds


@dataclasses.dataclass(slots=True)
class _Buckets:
    counts: list[int]
    total: float = 0.0


class Spread(Collector):
    """How a number is spread over buckets, by model. Not for several threads."""

    def __init__(self, name: str, documentation: str, limits: tuple[float, ...]) -> None:
        self._name = name
        self._documentation = documentation
        self._limits = limits
        self._buckets: dict[str, _Buckets] = {}

    def add(self, model: str, value: float) -> None:
        """One more."""
        buckets = self._buckets.get(model)
        if buckets is None:
            buckets = self._buckets[model] = _Buckets([0] * (len(self._limits) + 1))
        buckets.counts[bisect_left(self._limits, value)] += 1
        buckets.total += value

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client calls when a page is written."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=("model",))
        for model, buckets in self._buckets.items():
            family.add_metric((model,), _cumulate(self._limits, buckets.counts), buckets.total)
        yield family


def _cumulate(limits: tuple[float, ...], counts: list[int]) -> list[tuple[str, float]]:
    total, buckets = 0, []
    for limit, count in zip((*limits, float("inf")), counts, strict=True):
        total += count
        buckets.append((floatToGoString(limit), float(total)))  # type: ignore[no-untyped-call]
    return buckets

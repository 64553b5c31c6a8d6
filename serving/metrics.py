"""Every number the server publishes: one place for names, labels and buckets.

Labels take values only from configured models and from fixed sets, so that no client can grow the number
of series; what is not served is counted under the model name `other`.
"""

import dataclasses
import time
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
    generate_latest,
)

from serving.tallies import RequestTally, Spread

UNKNOWN_MODEL = "other"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The metrics of one server. `page` is what Prometheus reads."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter, for nobody
        self.registry = CollectorRegistry()
        self.requests = RequestTally(_SECONDS)
        self.registry.register(self.requests)
        self.batch_rows = Spread("tfsp_batch_rows", "Rows in one call of the model.", _ROWS)
        self.registry.register(self.batch_rows)
        self.run_seconds = Spread("tfsp_run_seconds", "Time of one call of the model.", _SECONDS)
        self.registry.register(self.run_seconds)
        self.cache_lookups = Counter(
            "tfsp_output_cache_lookups",
            "Questions that were looked up among the kept answers.",
            ("model", "result"),
            registry=self.registry,
        )
        self.cache_state = Gauge(
            "tfsp_output_cache_state",
            "1 for the state that caching of a version is in: caching, or the reason why not.",
            ("model", "version", "state"),
            registry=self.registry,
        )
        self.cache_bytes = Gauge("tfsp_output_cache_bytes", "Memory of kept answers.", registry=self.registry)
        self.cache_evictions = Gauge(
            "tfsp_output_cache_evictions", "Answers dropped for want of room.", registry=self.registry
        )
        self.cache_followers = Gauge(
            "tfsp_output_cache_followers",
            "Questions answered with an equal one that was under way.",
            registry=self.registry,
        )
        self.input_cache_bytes = Gauge(
            "tfsp_input_cache_bytes", "Memory of preprocessed inputs.", registry=self.registry
        )
        self.input_cache_hits = Gauge(
            "tfsp_input_cache_hits", "Rows that were preprocessed before.", registry=self.registry
        )
        self.input_cache_misses = Gauge(
            "tfsp_input_cache_misses", "Rows that had to be preprocessed.", registry=self.registry
        )
        self.queue_requests = Gauge(
            "tfsp_queue_requests", "Requests that wait for a model.", ("model",), registry=self.registry
        )
        self.queue_rows = Gauge(
            "tfsp_queue_rows", "Rows that wait for a model.", ("model",), registry=self.registry
        )
        self.before_page: list[Callable[[], None]] = []
        """Called before a page is written, to set what nobody counts as it changes."""
        self.version_state = Gauge(
            "tfsp_model_version_state",
            "State of a model version: 10 start, 20 loading, 30 available, 40 unloading, 50 end.",
            ("model", "version"),
            registry=self.registry,
        )
        self.config_stale = Gauge(
            "tfsp_config_stale",
            "Whether the latest reading of the models' configuration failed, and an older one holds.",
            registry=self.registry,
        )
        self.access_log_dropped = Gauge(
            "tfsp_access_log_dropped",
            "Lines of the access log that were lost because its file did not keep up.",
            registry=self.registry,
        )
        self.access_file_stale = Gauge(
            "tfsp_access_file_stale",
            "Whether the latest reading of the access file failed, and an older one holds.",
            registry=self.registry,
        )
        self.is_ready = Gauge("tfsp_ready", "Whether /readyz says yes.", registry=self.registry)

    def page(self) -> bytes:
        """Everything in Prometheus' text format."""
        for refresh in self.before_page:
            refresh()
        return generate_latest(self.registry)


@dataclasses.dataclass(kw_only=True, slots=True)
class Observation:
    """One request being answered: what is known about it so far, counted once when it ends."""

    metrics: Metrics
    transport: str
    method: str
    model: str = UNKNOWN_MODEL
    started: float = dataclasses.field(default_factory=time.perf_counter)

    def finish(self, code: str) -> None:
        """Count it with the status that its asker gets."""
        labels = self.model, self.method, self.transport
        self.metrics.requests.count(labels, code, time.perf_counter() - self.started)

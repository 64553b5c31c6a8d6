"""What is said of a request: names from the configuration, numbers, and the identifiers that link it to others.

Everything a client chose is left out or checked: a model that is not served is `other`, a path is a template, a
request's id and trace are written only in the form that they ought to have. So a line has a greatest length,
and no text that somebody made up is in it.
"""

import dataclasses
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime

import orjson

from serving.access_log.identifiers import RequestIds, trace_id
from serving.access_log.writer import Writer
from serving.calls import Trace
from serving.metrics import UNKNOWN_MODEL


@dataclasses.dataclass(kw_only=True, slots=True)
class Entry:
    """One answered request, as its transport saw it."""

    transport: str
    method: str | None
    """Of HTTP; gRPC says it all in the path."""
    path: str
    """A template: what a client filled in is not part of it."""
    code: int | str
    has_failed: bool
    bytes_in: int
    bytes_out: int
    started: float
    """On `time.perf_counter`."""
    request_id: str
    metadata: Mapping[str, str]
    trace: Trace


class Journal:
    """Writes the lines of one server."""

    def __init__(
        self,
        writer: Writer,
        *,
        sample: float,
        model_names: Callable[[], Collection[str]],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """`model_names` are the models that may be named now, `sample` the share of successes that is written."""
        self._writer = writer
        self._sample = sample
        # The first one is written, so that an operator sees that it works.
        self._credit = 1.0 - sample if sample else 0.0
        self._model_names = model_names
        self._wall_clock = wall_clock
        self._second, self._second_text = -1.0, ""
        self.identify = RequestIds().identify
        """The id of a request, by its headers: what it is called in its line and in its answer."""

    def note(self, entry: Entry) -> None:
        """Write the request down, unless it went well and is not in the sample."""
        if entry.has_failed or self._is_sampled():
            line = self._describe(entry)
            line.update(_describe_trace(entry.trace))
            line["request_id"] = entry.request_id
            trace = trace_id(entry.metadata)
            if trace is not None:
                line["trace_id"] = trace
            self._writer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def _describe(self, entry: Entry) -> dict[str, object]:
        line: dict[str, object] = {"time": self._now(), "transport": entry.transport}
        if entry.method is not None:
            line["method"] = entry.method
        line["path"] = entry.path
        if entry.trace.model:
            line["model"] = self._model(entry.trace.model)
        line["code"] = entry.code
        line["bytes_in"] = entry.bytes_in
        line["bytes_out"] = entry.bytes_out
        line["seconds"] = round(time.perf_counter() - entry.started, 6)
        return line

    def _now(self) -> str:
        """The time in milliseconds. Only the second is formatted anew: it is a third of what a line costs."""
        second, fraction = divmod(self._wall_clock(), 1.0)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._second_text}.{int(fraction * 1000):03d}Z"

    def _model(self, name: str) -> str:
        return name if name in self._model_names() else UNKNOWN_MODEL

    def _is_sampled(self) -> bool:
        # Every n-th instead of a lottery: the same share at any rate, and nothing random to inject.
        self._credit += self._sample
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        return True


def _describe_trace(trace: Trace) -> Iterator[tuple[str, object]]:
    if trace.version is not None:
        yield "version", trace.version
    if trace.queue_seconds is not None:
        yield "queue_seconds", round(trace.queue_seconds, 6)
    if trace.is_hit is not None:
        yield "cache", "hit" if trace.is_hit else "miss"
    if trace.caller:
        yield "caller", trace.caller

"""What the pipeline keeps about one load of a version: its lanes, its costs, and whether its answers are kept."""

import dataclasses
import time
from collections.abc import Sequence

from prometheus_client import Counter

from serving.caching import CacheState, Thrift, decide
from serving.caching.outputs import Key
from serving.repository import Servable
from serving.scheduling import Costs, Lane
from serving.settings import ServingSettings
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature, TensorSpec

_MOST_LANES = 256
"""A model whose inner shapes vary without end makes new ones instead of growing."""
_TRANSPORT_SECONDS = 50e-6
"""What a hit saves beside the model's own time: parsing the question and writing the answer."""

LaneKey = tuple[str, tuple[str, ...] | None, tuple[tuple[int, ...], ...] | None]


# Not frozen: one is made for every request, and freezing doubles what that costs (0.9 us against 0.4).
@dataclasses.dataclass(kw_only=True, slots=True)
class Question:
    """What is asked of a model, as arrays."""

    signature: Signature
    inputs: Sequence[Array]
    """In the order of `signature.inputs`."""
    outputs: Sequence[TensorSpec]
    """What is wanted of `signature.outputs`."""
    has_own_shapes: bool = False
    """Whether an input has another shape than its signature says: TensorFlow judges it, and no other travels with it."""

    def rows(self) -> int | None:
        """How many rows it has, or None when it cannot be joined with others."""
        if self.has_own_shapes or not self.signature.is_batched:
            return None
        if len(self.inputs) == 1:
            return int(self.inputs[0].shape[0])
        sizes = {array.shape[0] for array in self.inputs}
        return sizes.pop() if len(sizes) == 1 else None


class Desk:
    """The working memory of one load."""

    def __init__(self, servable: Servable, settings: ServingSettings) -> None:
        self.servable = servable
        self._serial = servable.serial
        self._joins_rows = settings.enable_batching
        self._lanes: dict[LaneKey, Lane] = {}
        self._costs: dict[str, Costs] = {}
        self._hit_saves_seconds = Costs().estimate(1) + _TRANSPORT_SECONDS
        """As the latest question that was computed let us know."""
        self.stages: dict[str, object] = {}
        """What `serving.stages` made of each signature."""
        self.thrift = Thrift()
        self.hits = self.misses = 0
        self._reported = {"hit": 0, "miss": 0}
        self._state = decide(settings, servable.manifest.accuracy, is_deterministic=servable.is_deterministic)
        self.keeps_answers = self._state is CacheState.CACHING

    @property
    def cache_state(self) -> CacheState:
        """Whether answers are kept right now, and why not."""
        return CacheState.BYPASSED if self.keeps_answers and self.thrift.is_bypassing else self._state

    def key(self, kind: str, message: bytes) -> Key | None:
        """Where the answer to a message is kept; None when it is not, or when looking is not worth it."""
        if not self.keeps_answers or (self.thrift.is_bypassing and not self.thrift.wants_lookup()):
            return None
        return self._serial, kind, message

    def note_lookup(self, size_bytes: int, *, is_hit: bool) -> None:
        if is_hit:
            self.hits += 1
            self.thrift.note(size_bytes, self._hit_saves_seconds)
        else:
            self.misses += 1
            self.thrift.note(size_bytes, None)

    def report_lookups(self, counter: Counter) -> None:
        """Add what was looked up since the last time to a metric, whose lock the hot path is spared."""
        for result, count in (("hit", self.hits), ("miss", self.misses)):
            counter.labels(self.servable.name, result).inc(count - self._reported[result])
            self._reported[result] = count

    def lane(self, question: Question, rows: int | None) -> Lane:
        """The lane of a question with so many rows; None for one that cannot be joined."""
        signature = question.signature
        aliases: tuple[str, ...] | None = None
        if question.outputs is not signature.all_outputs:
            aliases = tuple([spec.alias for spec in question.outputs])
            if aliases == tuple(signature.outputs):
                aliases = None  # who asks for all by name travels with who asks for all
        shapes: tuple[tuple[int, ...], ...] | None = None
        if rows is not None:
            inputs = question.inputs
            # Nearly all have one input, for which a list would be built for nothing.
            shapes = (
                (inputs[0].shape[1:],) if len(inputs) == 1 else tuple([array.shape[1:] for array in inputs])
            )
        key = signature.name, aliases, shapes
        lane = self._lanes.get(key)
        if lane is None:
            if len(self._lanes) >= _MOST_LANES:
                self._lanes.clear()
            lane = self._lanes[key] = self._make_lane(
                question, joins_rows=rows is not None and self._joins_rows
            )
        if self.keeps_answers:
            self._hit_saves_seconds = lane.costs.estimate(1) + _TRANSPORT_SECONDS
        return lane

    def _make_lane(self, question: Question, *, joins_rows: bool) -> Lane:
        return Lane(
            model=self.servable.name,
            run=self.servable.runner(question.signature, question.outputs),
            # Of those that travel alone nobody knows how many rows they have: they teach nothing about the others.
            costs=self._costs.setdefault(
                f"{question.signature.name} {'' if joins_rows else 'alone'}", Costs()
            ),
            joins_rows=joins_rows,
            clock=time.thread_time if self.servable.session.runs_in_callers_thread else time.perf_counter,
        )

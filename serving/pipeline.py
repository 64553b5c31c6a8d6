"""A request's way through the server, whatever its transport: parse, wait, run in company, render."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence

from serving.calls import Call
from serving.errors import DeadlineExceeded
from serving.metrics import Metrics
from serving.repository import Servable
from serving.scheduling import Batcher, Costs, Lane, QueueLimits, Task
from serving.scheduling.joining import assemble, slices
from serving.settings import ServingSettings
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature, TensorSpec

PRIORITY_HEADER, TENANT_HEADER = "x-request-priority", "x-tenant"
_PRIORITIES = {"high": 0, "normal": 1, "low": 2}
_MOST_LANES = 256
"""Kept for one version; a model whose inner shapes vary without end makes new ones instead of growing."""
_LONGEST_TENANT = 64


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked of a model, as arrays."""

    signature: Signature
    inputs: Sequence[Array]
    """In the order of `signature.inputs`."""
    outputs: Sequence[TensorSpec]
    """What is wanted of `signature.outputs`."""

    def rows(self) -> int | None:
        """How many rows it has, or None when it cannot be joined with others."""
        if not self.signature.is_batched:
            return None
        sizes = {array.shape[0] for array in self.inputs}
        return sizes.pop() if len(sizes) == 1 else None


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One request to a model, as its transport sees it."""

    servable: Servable
    call: Call
    parse: Callable[[], Question]
    """Reads the body; raises InvalidRequest."""
    render: Callable[[Question, list[Array]], bytes]
    """Writes the answer from the outputs, in the order of `Question.outputs`."""


class Pipeline:
    """Answers exchanges. Belongs to the event loop that is running when it is made."""

    def __init__(self, settings: ServingSettings, metrics: Metrics) -> None:
        self._max_rows = settings.max_batch_rows
        self._joins_rows = settings.enable_batching
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._batcher = Batcher(
            _queue_limits(settings),
            max_rows=settings.max_batch_rows,
            workers=settings.worker_threads,
            observe=self._observe,
        )

    async def answer(self, exchange: Exchange) -> bytes:
        """The bytes to send back.

        Raises InvalidRequest for a question that does not fit, Overloaded when too many wait, DeadlineExceeded
        when the asker's time is or would be up, ModelError when the model fails.
        """
        question = exchange.parse()
        outputs = await self.compute(exchange.servable, question, exchange.call)
        return exchange.render(question, outputs)

    async def compute(self, servable: Servable, question: Question, call: Call) -> list[Array]:
        """The outputs of a question, computed in slices when it is longer than a batch."""
        rows = question.rows()
        lane = self._lane(servable, question, rows)
        if rows is None or rows <= self._max_rows or not lane.joins_rows:
            cost = lane.costs.estimate(rows or 1)
            task = self._task(lane, question.inputs, rows or 1, call, question_seconds=cost)
            self._submit([task], call)
            return await task.done
        cost = lane.costs.estimate(self._max_rows) * rows / self._max_rows
        pieces = slices(question.inputs, rows, self._max_rows)
        tasks = [self._task(lane, piece, len(piece[0]), call, question_seconds=cost) for piece in pieces]
        self._submit(tasks, call)
        try:
            return assemble(await asyncio.gather(*[task.done for task in tasks]))
        finally:
            for task in tasks:  # those that still wait when another one failed
                task.done.cancel()

    def close(self) -> None:
        """End the workers once what runs in them is done."""
        self._batcher.close()

    def _submit(self, tasks: Sequence[Task], call: Call) -> None:
        self._batcher.submit(tasks)
        if call.deadline is not None:
            timer = self._loop.call_at(call.deadline, _expire, tasks)
            tasks[-1].done.add_done_callback(lambda _future: timer.cancel())

    def _task(
        self, lane: Lane, inputs: Sequence[Array], rows: int, call: Call, *, question_seconds: float
    ) -> Task:
        metadata = call.metadata
        return Task(
            lane=lane,
            inputs=inputs,
            rows=rows,
            done=self._loop.create_future(),
            arrived=self._loop.time(),
            deadline=call.deadline,
            priority=_priority(metadata),
            tenant=metadata.get(TENANT_HEADER, "")[:_LONGEST_TENANT],
            cost_seconds=lane.costs.estimate(rows),
            question_seconds=question_seconds,
        )

    def _lane(self, servable: Servable, question: Question, rows: int | None) -> Lane:
        name = question.signature.name
        aliases = tuple([spec.alias for spec in question.outputs])
        shapes = None if rows is None else tuple([array.shape[1:] for array in question.inputs])
        key = name, aliases, shapes
        lane = servable.notes.get(key)
        if not isinstance(lane, Lane):
            lane = self._make_lane(servable, question, joins_rows=rows is not None and self._joins_rows)
            if len(servable.notes) >= _MOST_LANES:
                servable.notes.clear()
            servable.notes[key] = lane
        return lane

    def _make_lane(self, servable: Servable, question: Question, *, joins_rows: bool) -> Lane:
        costs = servable.notes.setdefault(question.signature.name, Costs())
        assert isinstance(costs, Costs)
        return Lane(
            model=servable.name,
            run=servable.runner(question.signature, question.outputs),
            costs=costs,
            joins_rows=joins_rows,
        )

    def _observe(self, lane: Lane, rows: int, seconds: float) -> None:
        self._metrics.batch_rows.labels(lane.model).observe(rows)
        self._metrics.run_seconds.labels(lane.model).observe(seconds)


def _queue_limits(settings: ServingSettings) -> QueueLimits:
    return QueueLimits(
        max_requests=settings.max_queue_requests,
        max_rows=settings.max_queue_rows,
        aging_seconds=settings.queue_aging_seconds,
        is_fifo=settings.queue_policy == "fifo",
    )


def _priority(metadata: Mapping[str, str]) -> int:
    return _PRIORITIES.get(metadata.get(PRIORITY_HEADER, "normal"), 1)


def _expire(tasks: Sequence[Task]) -> None:
    for task in tasks:
        if not task.done.done():
            task.done.set_exception(DeadlineExceeded("the deadline passed before the model answered"))

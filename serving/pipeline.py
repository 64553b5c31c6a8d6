"""A request's way through the server, whatever its transport.

answer kept? send it -> equal question under way? wait with it -> parse -> queue -> batch -> model -> render -> keep
"""

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from serving.caching import Flights, OutputCache
from serving.caching.inputs import InputCache
from serving.caching.outputs import Key
from serving.calls import CALLER, TENANT_HEADER, Call, Trace
from serving.desk import Desk, Question
from serving.metrics import Metrics
from serving.repository import Servable
from serving.scheduling import Batcher, Lane, QueueLimits, Task
from serving.scheduling.joining import assemble, slices
from serving.settings import ServingSettings
from serving.stages import Stages, make_stages
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature

PRIORITY_HEADER = "x-request-priority"
_PRIORITIES = {"high": 0, "normal": 1, "low": 2}
_LONGEST_TENANT = 64


# Not frozen: one is made for every request, and freezing doubles what that costs (0.9 us against 0.4).
@dataclasses.dataclass(kw_only=True, slots=True)
class Exchange:
    """One request to a model, as its transport sees it."""

    servable: Servable
    call: Call
    kind: str
    """What the message is asked for, such as `rest predict`: the same bytes may mean several things."""
    message: bytes
    """The question as it came. Together with the kind and the version it decides the answer."""
    parse: Callable[[], Question]
    """Reads the body; raises InvalidRequest."""
    render: Callable[[Question, list[Array]], bytes]
    """Writes the answer from the outputs, in the order of `Question.outputs`."""


class Pipeline:
    """Answers exchanges. Belongs to the event loop that is running when it is made."""

    def __init__(self, settings: ServingSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._max_rows = settings.max_batch_rows
        self._keeps_callers_apart = bool(settings.access_file)
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._cache = OutputCache(settings.output_cache_bytes)
        self._inputs = InputCache(settings.input_cache_bytes) if settings.input_cache_bytes else None
        self._flights = Flights()
        self._desks: dict[int, Desk] = {}
        metrics.before_page.append(self._refresh_metrics)
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
        desk = self.desk(exchange.servable)
        trace = exchange.call.trace
        if trace is not None:
            _note_servable(trace, exchange.servable)
        if not desk.keeps_answers or not desk.thrift.wants_lookup():
            return await self._compute_answer(exchange)
        kind = exchange.kind if not self._keeps_callers_apart else _kind_of_caller(exchange)
        key = exchange.servable.serial, kind, exchange.message
        answer = self._cache.get(key)
        desk.note_lookup(len(exchange.message), is_hit=answer is not None)
        if trace is not None:
            trace.is_hit = answer is not None
        if answer is not None:
            return answer
        return await self._flights.share(
            key, lambda: self._compute_and_keep(key, exchange), exchange.call.deadline
        )

    async def _compute_and_keep(self, key: Key, exchange: Exchange) -> bytes:
        answer = await self._compute_answer(exchange)
        self._cache.put(key, answer)
        return answer

    async def _compute_answer(self, exchange: Exchange) -> bytes:
        question = exchange.parse()
        outputs = await self._compute_in_stages(exchange.servable, question, exchange.call)
        return exchange.render(question, outputs)

    def _compute_in_stages(
        self, servable: Servable, question: Question, call: Call
    ) -> Coroutine[Any, None, list[Array]]:
        if self._inputs is None or servable.manifest.preprocessed is None:
            return self.compute(servable, question, call)
        stages = self._stages_of(servable, question.signature, self._inputs)
        if stages is None:
            return self.compute(servable, question, call)
        caller = call.metadata.get(CALLER, "")
        return stages.run(question, lambda stage: self.compute(servable, stage, call), caller=caller)

    def _stages_of(self, servable: Servable, signature: Signature, cache: InputCache) -> Stages | None:
        stages = self.desk(servable).stages
        if signature.name not in stages:
            stages[signature.name] = make_stages(servable, signature, cache)
        found = stages[signature.name]
        assert found is None or isinstance(found, Stages)
        return found

    def desk(self, servable: Servable) -> Desk:
        """What is kept about a load for as long as it lives."""
        desk = self._desks.get(servable.serial)
        if desk is None:
            desk = self._desks[servable.serial] = Desk(servable, self._settings)
        return desk

    def forget(self, servable: Servable) -> None:
        """A load has ended: nothing about it need be kept any longer."""
        self._cache.forget(servable.serial)
        desk = self._desks.pop(servable.serial, None)
        if desk is not None:
            desk.report_lookups(self._metrics.cache_lookups)
        if self._inputs is not None:
            self._inputs.forget(f"load {servable.serial}")

    def report(self, servable: Servable) -> dict[str, object]:
        """The state of caching and of the queue, for an operator to read."""
        desk = self.desk(servable)
        requests, rows = self._batcher.waiting(servable.name)
        return {
            "output_cache": {
                "state": desk.cache_state.label,
                "reason": desk.cache_state.value,
                "hits": desk.hits,
                "misses": desk.misses,
            },
            "queue": {"requests": requests, "rows": rows, "by_class": self._waiting_by_class(servable.name)},
        }

    def _waiting_by_class(self, model: str) -> dict[str, int]:
        waiting = self._batcher.waiting_by_priority(model)
        return {name: waiting[priority] for name, priority in _PRIORITIES.items()}

    async def compute(self, servable: Servable, question: Question, call: Call) -> list[Array]:
        """The outputs of a question, computed in slices when it is longer than a batch."""
        rows = question.rows()
        lane = self.desk(servable).lane(question, rows)
        if rows is None or rows <= self._max_rows or not lane.joins_rows:
            cost = lane.costs.estimate(rows or 1)
            task = self._task(lane, question.inputs, rows or 1, call, question_seconds=cost)
            self._batcher.submit([task])
            outputs = await task.done
            if call.trace is not None:
                _note_run(call.trace, servable, [task])
            return outputs
        cost = lane.costs.estimate(self._max_rows) * rows / self._max_rows
        pieces = slices(question.inputs, rows, self._max_rows)
        tasks = [self._task(lane, piece, len(piece[0]), call, question_seconds=cost) for piece in pieces]
        self._batcher.submit(tasks)
        try:
            pieces_out = await asyncio.gather(*[task.done for task in tasks])
            if call.trace is not None:
                _note_run(call.trace, servable, tasks)
            return assemble(pieces_out)
        finally:
            for task in tasks:  # those that still wait when another one failed
                task.done.cancel()

    def close(self) -> None:
        """End the workers once what runs in them is done."""
        self._batcher.close()

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
            is_cost_modest=lane.costs.is_modest(rows),
        )

    def _refresh_metrics(self) -> None:
        metrics = self._metrics
        metrics.cache_state.clear()
        for desk in self._desks.values():
            servable = desk.servable
            desk.report_lookups(metrics.cache_lookups)
            metrics.cache_state.labels(servable.name, str(servable.version), desk.cache_state.label).set(1)
            requests, rows = self._batcher.waiting(servable.name)
            metrics.queue_requests.labels(servable.name).set(requests)
            metrics.queue_rows.labels(servable.name).set(rows)
        if self._inputs is not None:
            metrics.input_cache_bytes.set(self._inputs.size_bytes)
            metrics.input_cache_hits.set(self._inputs.hits)
            metrics.input_cache_misses.set(self._inputs.misses)
        metrics.cache_bytes.set(self._cache.size_bytes)
        metrics.cache_evictions.set(self._cache.evictions)
        metrics.cache_followers.set(self._flights.followers)

    def _observe(self, lane: Lane, rows: int, seconds: float) -> None:
        self._metrics.batch_rows.labels(lane.model).observe(rows)
        self._metrics.run_seconds.labels(lane.model).observe(seconds)


def _kind_of_caller(exchange: Exchange) -> str:
    """Where callers have names, an answer is kept for its asker alone: how fast it comes tells nobody else's questions."""
    return f"{exchange.call.metadata.get(CALLER, '')} {exchange.kind}"


def _note_servable(trace: Trace, servable: Servable) -> None:
    trace.model, trace.version = servable.name, servable.version


def _note_run(trace: Trace, servable: Servable, tasks: Sequence[Task]) -> None:
    _note_servable(trace, servable)
    trace.queue_seconds = max(task.taken_at - task.arrived for task in tasks)


def _queue_limits(settings: ServingSettings) -> QueueLimits:
    return QueueLimits(
        max_requests=settings.max_queue_requests,
        max_rows=settings.max_queue_rows,
        aging_seconds=settings.queue_aging_seconds,
        is_fifo=settings.queue_policy == "fifo",
    )


def _priority(metadata: Mapping[str, str]) -> int:
    return _PRIORITIES.get(metadata.get(PRIORITY_HEADER, "normal"), 1)

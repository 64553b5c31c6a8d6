"""A request's way through the server, whatever its transport.

answer kept? send it -> equal question under way? wait with it -> parse -> queue -> batch -> model -> render -> keep
"""

import asyncio
import functools
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from serving.caching import Flights, OutputCache
from serving.caching.inputs import InputCache
from serving.caching.outputs import Key
from serving.calls import CALLER, TENANT_HEADER, Call, Cancel, Finish, forget
from serving.desk import Desk, Question
from serving.exchanges import Exchange, Rider, note_hit, note_run, note_servable
from serving.metrics import Metrics
from serving.repository import Servable
from serving.scheduling import Asker, Batcher, Lane, QueueLimits, Task
from serving.scheduling.joining import assemble, slices
from serving.settings import ServingSettings
from serving.stages import Stages, make_stages
from serving.steps import Steps
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature

__all__ = ["Exchange", "Pipeline"]

PRIORITY_HEADER = "x-request-priority"
_PRIORITIES = {"high": 0, "normal": 1, "low": 2}
_LONGEST_TENANT = 64


class Pipeline:
    """Answers exchanges. Belongs to the event loop that is running when it is made."""

    def __init__(self, settings: ServingSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._max_rows = settings.max_batch_rows
        self._keeps_callers_apart = bool(settings.access_file)
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        """The clock of deadlines."""
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
        outcome: asyncio.Future[bytes] = self._loop.create_future()
        cancel = self.begin(exchange, functools.partial(_settle, outcome))
        try:
            return await outcome
        finally:
            if outcome.cancelled():
                cancel()

    def begin(self, exchange: Exchange, finish: Finish) -> Cancel:
        """What `answer` does, without a coroutine: `finish` is told the answer, or what `answer` would have raised."""
        desk = self.desk(exchange.servable)
        key = self.key(desk, exchange.kind, exchange.call.metadata, exchange.message)
        answer = None if key is None else self.kept(desk, key)
        if answer is not None:
            if exchange.call.trace is not None:
                note_hit(exchange.call.trace, exchange.servable)
            finish(answer, None)
            return forget
        return self.begin_unkept(desk, exchange, finish, key)

    def begin_unkept(self, desk: Desk, exchange: Exchange, finish: Finish, key: Key | None) -> Cancel:
        """The rest of `begin`, for who has found nothing kept under `key` (`key` and `kept`)."""
        trace = exchange.call.trace
        if trace is not None:
            note_servable(trace, exchange.servable)
            trace.is_hit = None if key is None else False
        if key is not None:
            return Steps(self._share(key, exchange), finish).cancel
        return self._begin_computing(desk, exchange, finish)

    def key(self, desk: Desk, kind: str, metadata: Mapping[str, str], message: bytes) -> Key | None:
        """Where the answer to a message is kept; None when it is not, or when looking is not worth it. Ask once a message.

        Where callers have names, an answer is kept for its asker alone: how fast it comes tells nobody else's questions.
        """
        if self._keeps_callers_apart:
            kind = f"{metadata.get(CALLER, '')} {kind}"
        return desk.key(kind, message)

    def kept(self, desk: Desk, key: Key) -> bytes | None:
        """The answer that is kept under a key of this desk."""
        answer = self._cache.get(key)
        desk.note_lookup(len(key[2]), is_hit=answer is not None)
        return answer

    def _share(self, key: Key, exchange: Exchange) -> Coroutine[Any, None, bytes]:
        return self._flights.share(key, lambda: self._compute_and_keep(key, exchange), exchange.call.deadline)

    async def _compute_and_keep(self, key: Key, exchange: Exchange) -> bytes:
        answer = await self._compute_answer(exchange, exchange.parse())
        self._cache.put(key, answer)
        return answer

    def _begin_computing(self, desk: Desk, exchange: Exchange, finish: Finish) -> Cancel:
        try:
            question = exchange.parse()
            rows = question.rows()
            is_staged = self._inputs is not None and exchange.servable.manifest.preprocessed is not None
            if is_staged or (rows is not None and rows > self._max_rows):
                return Steps(self._compute_answer(exchange, question), finish).cancel
            rider = Rider(exchange, question, finish)
            rider.task = self._task(
                desk.lane(question, rows), question.inputs, 1 if rows is None else rows, exchange.call, rider
            )
            self._batcher.submit([rider.task])
        except Exception as error:  # noqa: BLE001 - handed on whole, as what happens later is
            finish(None, error)
            return forget
        return rider.cancel

    async def _compute_answer(self, exchange: Exchange, question: Question) -> bytes:
        outputs = await self._compute_in_stages(exchange.servable, question, exchange.call)
        return exchange.render(question, outputs)

    def _compute_in_stages(
        self, servable: Servable, question: Question, call: Call
    ) -> Coroutine[Any, None, Sequence[Array]]:
        if self._inputs is None or servable.manifest.preprocessed is None or question.has_own_shapes:
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

    async def compute(self, servable: Servable, question: Question, call: Call) -> Sequence[Array]:
        """The outputs of a question, computed in slices when it is longer than a batch."""
        if call.trace is not None:
            note_servable(call.trace, servable)
        rows = question.rows()
        lane = self.desk(servable).lane(question, rows)
        pieces: Sequence[Sequence[Array]] = [question.inputs]
        whole_seconds: float | None = None
        if rows is not None and rows > self._max_rows and lane.joins_rows:
            pieces = slices(question.inputs, rows, self._max_rows)
            whole_seconds = lane.costs.estimate(self._max_rows) * rows / self._max_rows
        waits: list[asyncio.Future[Sequence[Array]]] = [self._loop.create_future() for _ in pieces]
        tasks = [
            self._task(
                lane, piece, 1 if rows is None else len(piece[0]), call, wait, question_seconds=whole_seconds
            )
            for piece, wait in zip(pieces, waits, strict=True)
        ]
        self._batcher.submit(tasks)
        try:
            outputs = await asyncio.gather(*waits)
        finally:
            for wait in waits:  # those that still wait when another one failed
                wait.cancel()
        if call.trace is not None:
            note_run(call.trace, tasks)
        return outputs[0] if len(outputs) == 1 else assemble(outputs)

    def close(self) -> None:
        """End the workers once what runs in them is done."""
        self._batcher.close()

    def _task(
        self,
        lane: Lane,
        inputs: Sequence[Array],
        rows: int,
        call: Call,
        done: Asker,
        *,
        question_seconds: float | None = None,
    ) -> Task:
        metadata = call.metadata
        cost_seconds = lane.costs.estimate(rows)
        return Task(
            lane,
            inputs,
            rows,
            done,
            self.now(),
            call.deadline,
            _priority(metadata),
            metadata.get(TENANT_HEADER, "")[:_LONGEST_TENANT],
            cost_seconds,
            cost_seconds if question_seconds is None else question_seconds,
            lane.costs.is_modest(rows),
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
        self._metrics.batch_rows.add(lane.model, rows)
        self._metrics.run_seconds.add(lane.model, seconds)


def _settle(outcome: "asyncio.Future[bytes]", answer: bytes | None, error: BaseException | None) -> None:
    if outcome.done():
        return
    if answer is not None:
        outcome.set_result(answer)
    elif isinstance(error, asyncio.CancelledError):
        outcome.cancel()
    elif error is not None:
        outcome.set_exception(error)


def _queue_limits(settings: ServingSettings) -> QueueLimits:
    return QueueLimits(
        max_requests=settings.max_queue_requests,
        max_rows=settings.max_queue_rows,
        aging_seconds=settings.queue_aging_seconds,
        is_fifo=settings.queue_policy == "fifo",
    )


def _priority(metadata: Mapping[str, str]) -> int:
    return _PRIORITIES.get(metadata.get(PRIORITY_HEADER, "normal"), 1)

"""Runs what waits, joining what arrived at the same moment.

    IDLE ──submit──> SCHEDULED ──next loop turn──> RUNNING in k of n workers
      ^                  ^                              │
      │                  └── something waits, worker free ──┤
      └───────────────── nothing waits ─────────────────────┘

No timer: all sockets that are read in one turn of the event loop form a batch, and while the workers are busy
the next one gathers. After a call with many riders the first one back may see a few more turns pass, for as long as
each brings another: else every second call would have one row, because its asker was answered first. A wait of one millisecond, as other batchers have, costs a lone client 3.5 times its latency
and gains at most a fifth under load. A short call runs right on the loop, which saves two thread switches;
a long one runs in a worker, so that the loop keeps answering probes and cache hits.

When TensorFlow refuses the values of a joined call, each rider is run alone: only the guilty one fails.
"""

import asyncio
import itertools
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from serving.errors import InvalidRequest, ModelError, ServingError
from serving.scheduling import joining
from serving.scheduling.deadlines import Deadlines
from serving.scheduling.queue import QueueLimits, TaskQueue
from serving.scheduling.tasks import Lane, Task
from serving.tensors.dtypes import Array

log = logging.getLogger(__name__)

INLINE_SECONDS = 0.0005
"""A call that is expected to be shorter runs on the loop: a hop to a thread and back costs about a tenth of that."""

MOST_TURNS = 8
"""How often those who wait may see another turn pass. A turn that brought somebody takes some 30 us."""
_FEW_OF = 4
"""Less than this part of the latest call's riders are few."""

Observer = Callable[[Lane, int, float], None]
"""Told of each call: its lane, rows and seconds."""
_Outcome = Sequence[Array] | Exception


class Batcher:
    """Runs the tasks of all models. Belongs to the event loop that is running when it is made."""

    def __init__(self, limits: QueueLimits, *, max_rows: int, workers: int, observe: Observer) -> None:
        self._queue = TaskQueue(limits)
        self._max_rows = max_rows
        self._observe = observe
        self._free = workers
        self._is_scheduled = False
        self._company = self._gathered = self._turns = 0
        """Riders of the latest call; those that waited at the end of the latest turn; turns that they have waited."""
        self._work: queue.SimpleQueue[list[Task] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        self._loop = asyncio.get_running_loop()
        self._deadlines = Deadlines(self._under_way)
        self._running: dict[int, list[Task]] = {}
        """What the workers have, by identity: equal batches are different ones."""
        for thread in self._threads:
            thread.start()

    def submit(self, tasks: Sequence[Task]) -> None:
        """Let the tasks of one question wait for their turn; `done` of each resolves then.

        Raises Overloaded, DeadlineExceeded; then none of them waits.
        """
        self._queue.push(tasks)
        if tasks[0].deadline is not None:
            self._deadlines.watch()
        self._schedule()

    def waiting(self, model: str) -> tuple[int, int]:
        """Requests and rows of a model that wait."""
        return self._queue.waiting(model)

    def waiting_by_priority(self, model: str) -> Counter[int]:
        """Requests of a model that wait, by priority."""
        return self._queue.waiting_by_priority(model)

    def close(self) -> None:
        """End the workers after what they run; nothing may be submitted any more."""
        self._deadlines.close()
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _schedule(self) -> None:
        if self._free > 0 and not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        """Run what waits, or let another turn pass while it brings company and there was more of that last time."""
        waiting = len(self._queue)
        if self._gathered < waiting < self._company and self._turns < MOST_TURNS:
            self._gathered = waiting
            self._turns += 1
            self._loop.call_soon(self._take_turn)
            return
        self._is_scheduled = False
        self._gathered = self._turns = 0
        self._run_waiting()

    def _run_waiting(self) -> None:
        while self._free > 0:
            batch = self._queue.pop_batch(self._max_rows, self._loop.time())
            if not batch:
                return
            self._company = len(batch)
            rows = sum([task.rows for task in batch])
            costs = batch[0].lane.costs
            if costs.is_known(rows) and costs.estimate(rows) < INLINE_SECONDS:
                self._finish(batch, *_run(batch))
                if len(self._queue):
                    self._schedule()  # in another turn: others want the loop too
                return
            self._free -= 1
            self._give_to_worker(batch)

    def _give_to_worker(self, batch: list[Task]) -> None:
        self._running[id(batch)] = batch
        self._work.put(batch)

    def _under_way(self) -> Iterator[Task]:
        return itertools.chain(self._queue, *self._running.values())

    def _serve(self) -> None:
        while (batch := self._work.get()) is not None:
            outcome = _run(batch)
            self._loop.call_soon_threadsafe(self._finish_worked, batch, *outcome)

    def _finish_worked(self, batch: list[Task], outcome: _Outcome, seconds: float, cost: float) -> None:
        self._free += 1
        del self._running[id(batch)]
        waiting = len(self._queue)
        if waiting * _FEW_OF > len(batch):
            self._run_waiting()  # feed the worker before writing answers
        elif waiting:
            self._schedule()  # to those few, the answers about to be written will bring company
        self._finish(batch, outcome, seconds, cost)

    def _finish(self, batch: list[Task], outcome: _Outcome, seconds: float, cost: float) -> None:
        lane, rows = batch[0].lane, sum([task.rows for task in batch])
        self._observe(lane, rows, seconds)
        if isinstance(outcome, Exception):
            self._fail(batch, outcome)
            return
        lane.costs.learn(rows, cost)
        if len(batch) > 1 and not joining.is_joined(outcome, rows):
            log.warning(
                "a signature of %s promises rows but answers otherwise: its requests run alone", lane.model
            )
            lane.joins_rows = False
            self._run_alone(batch)
            return
        for task, outputs in zip(batch, joining.split(outcome, batch), strict=True):
            if not task.done.done():
                task.done.set_result(outputs)

    def _fail(self, batch: list[Task], error: Exception) -> None:
        if len(batch) > 1 and isinstance(error, InvalidRequest):
            self._run_alone(batch)
            return
        for task in batch:
            if not task.done.done():
                task.done.set_exception(_own_error(error))

    def _run_alone(self, batch: list[Task]) -> None:
        waiting = [[task] for task in batch if not task.done.done()]
        self._free -= len(waiting)  # each comes back through `_finish_worked`
        for single in waiting:
            self._give_to_worker(single)


def _run(batch: Sequence[Task]) -> tuple[_Outcome, float, float]:
    """The outputs of a joined call, or why there are none; its seconds on the wall, and what it cost."""
    clock = batch[0].lane.clock
    started, cost_started = time.perf_counter(), clock()
    try:
        outcome: _Outcome = batch[0].lane.run(joining.join(batch))
    except Exception as error:  # handed to every rider; a worker must outlive a defect
        if not isinstance(error, ServingError):
            log.exception("an internal error while running the model %s", batch[0].lane.model)
        outcome = error
    return outcome, time.perf_counter() - started, clock() - cost_started


def _own_error(error: Exception) -> Exception:
    """One error for one rider: sharing the object would chain the riders' traces to each other."""
    if isinstance(error, ServingError):
        return type(error)(str(error))
    return ModelError("the model failed; the server's log has the details")

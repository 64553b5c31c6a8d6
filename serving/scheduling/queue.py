"""The heap queue: the smallest expected cost first, but nobody waits for ever.

Within a priority class the cheapest task goes first, which is what makes the mean wait shortest. Tasks that have
waited `aging_seconds` get every other turn, oldest first: a stream of small tasks cannot starve a big one, and a
backlog of old big ones cannot hold up the small for longer than a slice. A tenant's tasks count as dearer the more of them wait, so that one tenant's flood delays mostly itself.

Tasks arrive in a plain list. When all that waits fits into one call, which is nearly always, it leaves from there,
for order means nothing then. Else they are sorted in: each lane has a heap for the first rule and a line in order of
arrival for the second. A task that left through one is only marked in the other, and thrown out when it surfaces or
when such marks are the majority.
"""

import dataclasses
import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence

from serving.errors import DeadlineExceeded, Overloaded
from serving.scheduling.tasks import Lane, Task

_IsOld = Callable[[Task, float], bool]
_DROP_SECONDS = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class QueueLimits:
    """What may wait, and in which order."""

    max_requests: int = 2048
    """For one model."""
    max_rows: int = 65_536
    """For one model."""
    aging_seconds: float = 0.1
    is_fifo: bool = False


class TaskQueue:
    """The tasks that wait, of all models. Not for several threads."""

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits
        self._arrived: list[Task] = []
        """Those that no heap has yet."""
        self._lanes: dict[Lane, _Line] = {}
        self._backlogs: dict[str, _Backlog] = {}
        self._tenants: Counter[str] = Counter()
        self._serials = itertools.count()
        self._count = 0
        self._honours_age = True
        """Whether the next turn goes to the oldest of those that waited long enough, if there are any."""
        self._dropped_at = -_DROP_SECONDS
        self.cost_seconds = 0.0
        """What everything that waits is expected to take."""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Task]:
        for line in self._lanes.values():
            yield from line.waiting()
        yield from self._arrived

    def waiting(self, model: str) -> tuple[int, int]:
        """Requests and rows of a model that wait."""
        backlog = self._backlogs.get(model)
        return (backlog.requests, backlog.rows) if backlog is not None else (0, 0)

    def waiting_by_priority(self, model: str) -> Counter[int]:
        """Requests of a model that wait, by priority; it walks through them all, so only for who looks now and then."""
        return Counter(task.priority for task in self if task.lane.model == model)

    def push(self, tasks: Sequence[Task]) -> None:
        """Let the tasks of one question wait: all of them, or none.

        Raises Overloaded when the line of its model is full, DeadlineExceeded when it would come too late anyhow.
        """
        first, limits = tasks[0], self._limits
        model = first.lane.model
        backlog = self._backlogs.get(model)
        if backlog is None:
            backlog = self._backlogs[model] = _Backlog()
        added = len(tasks)
        rows = first.rows if added == 1 else sum([task.rows for task in tasks])
        if backlog.requests + added > limits.max_requests or backlog.rows + rows > limits.max_rows:
            self._drop_gone(first.arrived)
            backlog = self._backlogs[model]
            if backlog.requests + added > limits.max_requests or backlog.rows + rows > limits.max_rows:
                raise self._overloaded(model, backlog, added, rows)
        if first.deadline is not None and first.is_cost_modest:
            self._check_deadline(first, first.deadline)
        backlog.requests += added
        backlog.rows += rows
        self._count += added
        self._arrived += tasks
        for task in tasks:
            self.cost_seconds += task.cost_seconds

    def pop_batch(self, max_rows: int, now: float) -> list[Task]:
        """The tasks to run next, together: at most `max_rows` unless the first alone has more. Empty when none wait.

        Tasks whose rider went away are left out; those whose deadline has passed are told so.
        """
        if self._arrived:
            if not self._lanes and self._is_one_call(max_rows):
                return self._pop_all(now)
            self._sort_in()
        while self._lanes:
            lane = self._next_lane(now)
            batch = self._pop_from(lane, max_rows, now)
            if batch:
                self._honours_age = not self._is_old(batch[0], now)
                return batch
        return []

    def _is_one_call(self, max_rows: int) -> bool:
        lane, rows = self._arrived[0].lane, 0
        for task in self._arrived:
            if task.lane is not lane:
                return False
            rows += task.rows
        return len(self._arrived) == 1 or (lane.joins_rows and rows <= max_rows)

    def _pop_all(self, now: float) -> list[Task]:
        tasks, self._arrived = self._arrived, []
        self._count, self.cost_seconds, self._honours_age = 0, 0.0, True
        self._backlogs[tasks[0].lane.model] = _Backlog()
        wanted = [task for task in tasks if _is_wanted(task, now)]
        for task in wanted:
            task.taken_at = now
        return wanted

    def _sort_in(self) -> None:
        tasks, self._arrived = self._arrived, []
        for task in tasks:
            line = self._lanes.get(task.lane)
            if line is None:
                line = self._lanes[task.lane] = _Line()
            line.add(self._rank(task), next(self._serials), task)
            if task.tenant:
                self._tenants[task.tenant] += 1

    def _pop_from(self, lane: Lane, max_rows: int, now: float) -> list[Task]:
        line, batch, rows = self._lanes[lane], list[Task](), 0
        while (task := line.first(self._is_old, now)) is not None:
            if not _is_wanted(task, now):
                self._remove(line, task)
                continue
            if batch and (not lane.joins_rows or rows + task.rows > max_rows):
                break
            self._remove(line, task)
            task.taken_at = now
            batch.append(task)
            rows += task.rows
        if line.first(self._is_old, now) is None:
            del self._lanes[lane]
        return batch

    def _next_lane(self, now: float) -> Lane:
        if len(self._lanes) == 1:
            return next(iter(self._lanes))
        return min(self._lanes, key=lambda lane: self._lanes[lane].standing(self._is_old, now))

    def _drop_gone(self, now: float) -> None:
        """Give the places of riders that went away to others; one walk through the queue in 50 ms is enough.

        Clients that give up and ask again would else fill the queue with themselves for as long as a call runs.
        """
        if now < self._dropped_at + _DROP_SECONDS:
            return
        self._dropped_at = now
        self._sort_in()
        for line in self._lanes.values():
            for task in line.waiting():
                if task.done.done():
                    self._remove(line, task)

    def _remove(self, line: "_Line", task: Task) -> None:
        task.is_taken = True
        line.count -= 1
        backlog = self._backlogs[task.lane.model]
        backlog.requests -= 1
        backlog.rows -= task.rows
        self._count -= 1
        self.cost_seconds = max(0.0, self.cost_seconds - task.cost_seconds)
        if task.tenant:
            self._tenants[task.tenant] -= 1
            if not self._tenants[task.tenant]:
                del self._tenants[task.tenant]

    def _rank(self, task: Task) -> tuple[int, float]:
        if self._limits.is_fifo:
            return task.priority, task.arrived
        return task.priority, task.question_seconds * (1 + self._tenants[task.tenant])

    def _is_old(self, task: Task, now: float) -> bool:
        return self._honours_age and now - task.arrived >= self._limits.aging_seconds

    def _overloaded(self, model: str, backlog: "_Backlog", added: int, rows: int) -> Overloaded:
        limits = self._limits
        return Overloaded(
            f"expected at most {limits.max_requests} requests and {limits.max_rows} rows to wait for the model {model}, "
            f"got {backlog.requests} and {backlog.rows} with {added} and {rows} more; try again later",
            retry_after_seconds=max(1.0, self.cost_seconds),
        )

    def _check_deadline(self, task: Task, deadline: float) -> None:
        remaining = deadline - task.arrived
        if task.question_seconds + self.cost_seconds <= remaining:
            return
        self._sort_in()
        # Only those that go before it delay it; counting them is worth it only now.
        rank = self._rank(task)
        needed = task.question_seconds + sum(line.cost_before(rank) for line in self._lanes.values())
        if needed > remaining:
            raise DeadlineExceeded(
                f"expected an answer within {max(0.0, remaining):.3f} s, but it would take {needed:.3f} s with what "
                "waits before it"
            )


@dataclasses.dataclass(slots=True)
class _Backlog:
    """What waits for one model."""

    requests: int = 0
    rows: int = 0


class _Line:
    """The tasks of one lane, in both orders."""

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[int, float], int, Task]] = []
        self._arrivals: deque[Task] = deque()
        self.count = 0

    def add(self, rank: tuple[int, float], serial: int, task: Task) -> None:
        heapq.heappush(self._heap, (rank, serial, task))
        self._arrivals.append(task)
        self.count += 1
        if len(self._heap) > 2 * self.count + 64:
            self._heap = [entry for entry in self._heap if not entry[2].is_taken]
            heapq.heapify(self._heap)
        if len(self._arrivals) > 2 * self.count + 64:
            self._arrivals = deque(task for task in self._arrivals if not task.is_taken)

    def first(self, is_old: _IsOld, now: float) -> Task | None:
        """The task whose turn it is, left in the line."""
        self._drop_taken()
        if not self._heap:
            return None
        oldest = self._arrivals[0]
        return oldest if is_old(oldest, now) else self._heap[0][2]

    def standing(self, is_old: _IsOld, now: float) -> tuple[float, ...]:
        """How this line compares with others: smaller goes first."""
        task = self.first(is_old, now)
        if task is None:
            return (2.0,)
        if is_old(task, now):
            return (0.0, task.arrived)
        (priority, cost), serial, _ = self._heap[0]
        return (1.0, priority, cost, serial)

    def waiting(self) -> list[Task]:
        return [task for task in self._arrivals if not task.is_taken]

    def cost_before(self, rank: tuple[int, float]) -> float:
        return sum(task.cost_seconds for other, _, task in self._heap if not task.is_taken and other <= rank)

    def _drop_taken(self) -> None:
        while self._heap and self._heap[0][2].is_taken:
            heapq.heappop(self._heap)
        while self._arrivals and self._arrivals[0].is_taken:
            self._arrivals.popleft()


def _is_wanted(task: Task, now: float) -> bool:
    if task.done.done():
        return False
    if task.deadline is not None and task.deadline <= now:
        task.done.set_exception(DeadlineExceeded("the deadline passed while the request waited for its turn"))
        return False
    return True

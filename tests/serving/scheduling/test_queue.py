"""The order of the queue, in made-up time."""

import random

import pytest

from serving.errors import DeadlineExceeded, Overloaded
from serving.scheduling import QueueLimits
from serving.scheduling.queue import TaskQueue
from serving.scheduling.tasks import Task
from tests.serving.scheduling.tasks import make_lane, make_task

CALM = QueueLimits(aging_seconds=100)


def order(queue: TaskQueue, now: float = 0.0) -> list[Task]:
    popped = []
    while batch := queue.pop_batch(1, now):
        popped += batch
    return popped


async def test_the_cheapest_goes_first() -> None:
    queue, lane = TaskQueue(CALM), make_lane()
    costs = random.Random(7).sample(range(100), 50)
    for cost in costs:
        queue.push([make_task(lane, cost=cost)])
    assert [task.cost_seconds for task in order(queue)] == sorted(costs)


async def test_equal_costs_go_in_order_of_arrival() -> None:
    queue, lane = TaskQueue(CALM), make_lane()
    tasks = [make_task(lane) for _ in range(20)]
    for task in tasks:
        queue.push([task])
    assert order(queue) == tasks


async def test_the_cheapest_goes_first_across_models() -> None:
    queue = TaskQueue(CALM)
    dear, cheap = make_task(make_lane("a"), cost=2), make_task(make_lane("b"), cost=1)
    queue.push([dear])
    queue.push([cheap])
    assert order(queue) == [cheap, dear]


@pytest.mark.parametrize(("now", "old_goes_first"), [(9.9, False), (10.0, True), (11.0, True)])
async def test_whoever_waited_long_enough_goes_before_everything(now: float, old_goes_first: bool) -> None:
    queue, lane, other = TaskQueue(QueueLimits(aging_seconds=10)), make_lane(), make_lane("other")
    old = make_task(lane, cost=100, arrived=0, priority=2)
    young = [
        make_task(lane, cost=1, arrived=now, priority=0),
        make_task(other, cost=1, arrived=now, priority=0),
    ]
    for task in [old, *young]:
        queue.push([task])
    assert (order(queue, now)[0] is old) is old_goes_first


async def test_a_stream_of_small_tasks_cannot_starve_a_big_one() -> None:
    queue, lane = TaskQueue(QueueLimits(aging_seconds=10)), make_lane()
    big = make_task(lane, cost=100, arrived=0)
    queue.push([big])
    served_at = None
    for now in range(30):
        queue.push([make_task(lane, cost=1, arrived=now), make_task(lane, cost=1, arrived=now)])
        if big in queue.pop_batch(1, now):
            served_at = now
            break
    assert served_at == 10


async def test_old_big_tasks_hold_up_a_small_one_for_one_turn_only() -> None:
    queue, lane = TaskQueue(QueueLimits(aging_seconds=10)), make_lane()
    old = [make_task(lane, cost=100, arrived=number) for number in range(5)]
    for task in old:
        queue.push([task])
    small = make_task(lane, cost=1, arrived=50)
    queue.push([small])
    assert order(queue, now=50)[:3] == [old[0], small, old[1]]


async def test_priority_comes_before_cost() -> None:
    queue, lane = TaskQueue(CALM), make_lane()
    tasks = [
        make_task(lane, cost=1, priority=2),
        make_task(lane, cost=2, priority=1),
        make_task(lane, cost=3, priority=0),
    ]
    for task in tasks:
        queue.push([task])
    assert order(queue) == tasks[::-1]


async def test_a_flood_of_one_tenant_delays_mostly_itself() -> None:
    queue, lane = TaskQueue(CALM), make_lane()
    for _ in range(50):
        queue.push([make_task(lane, tenant="loud")])
    quiet = make_task(lane, tenant="quiet")
    queue.push([quiet])
    assert order(queue).index(quiet) <= 1


async def test_first_in_first_out_is_a_setting() -> None:
    queue, lane = TaskQueue(QueueLimits(is_fifo=True)), make_lane()
    tasks = [make_task(lane, cost=cost, arrived=number) for number, cost in enumerate([5, 1, 3])]
    for task in tasks:
        queue.push([task])
    assert order(queue, now=3) == tasks


async def test_a_batch_takes_what_fits() -> None:
    queue, lane = TaskQueue(CALM), make_lane()
    for rows in (3, 4, 2):
        queue.push([make_task(lane, rows, cost=rows)])
    assert [[task.rows for task in queue.pop_batch(5, 0)] for _ in range(3)] == [[2, 3], [4], []]


async def test_a_task_longer_than_a_batch_goes_alone() -> None:
    queue, lane = TaskQueue(CALM), make_lane()
    queue.push([make_task(lane, 100)])
    assert [task.rows for task in queue.pop_batch(5, 0)] == [100]


async def test_lanes_are_never_mixed() -> None:
    queue, first, second = TaskQueue(CALM), make_lane(), make_lane()
    for lane in (first, second, first, second):
        queue.push([make_task(lane)])
    batches = [queue.pop_batch(64, 0) for _ in range(2)]
    assert [{task.lane for task in batch} for batch in batches] == [{first}, {second}]
    assert len(queue) == 0


async def test_a_lane_that_does_not_join_goes_one_by_one() -> None:
    queue, lane = TaskQueue(CALM), make_lane(joins_rows=False)
    queue.push([make_task(lane)])
    queue.push([make_task(lane)])
    assert [len(queue.pop_batch(64, 0)) for _ in range(3)] == [1, 1, 0]


async def test_a_rider_that_went_away_takes_no_seat() -> None:
    queue, lane = TaskQueue(CALM), make_lane()
    gone, there = make_task(lane), make_task(lane)
    queue.push([gone])
    queue.push([there])
    gone.done.cancel()
    assert queue.pop_batch(64, 0) == [there]
    assert (len(queue), queue.cost_seconds) == (0, 0)


async def test_whose_deadline_passed_in_the_line_is_told_so_and_not_run() -> None:
    queue, lane = TaskQueue(CALM), make_lane()
    late, there = make_task(lane, cost=0, deadline=5), make_task(lane)
    queue.push([late])
    queue.push([there])
    assert queue.pop_batch(64, 5) == [there]
    with pytest.raises(DeadlineExceeded, match="while the request waited"):
        late.done.result()


@pytest.mark.parametrize(("deadline", "is_taken"), [(3.9, False), (4.0, True), (None, True)])
async def test_the_hopeless_is_refused_at_once(deadline: float | None, is_taken: bool) -> None:
    queue, lane = TaskQueue(CALM), make_lane()
    queue.push([make_task(lane, cost=1)])
    queue.push([make_task(lane, cost=100)])
    hopeful = make_task(lane, cost=3, deadline=deadline)  # only the first goes before it
    if is_taken:
        queue.push([hopeful])
        assert len(queue) == 3
    else:
        with pytest.raises(DeadlineExceeded, match=r"within 3\.900 s, but it would take 4\.000 s"):
            queue.push([hopeful])
        assert len(queue) == 2


@pytest.mark.parametrize(
    ("waiting", "added", "fits"), [(0, 3, True), (2, 1, True), (3, 1, False), (0, 4, False)]
)
async def test_the_number_of_requests_is_limited(waiting: int, added: int, fits: bool) -> None:
    queue, lane = TaskQueue(QueueLimits(max_requests=3)), make_lane()
    for _ in range(waiting):
        queue.push([make_task(lane)])
    question = [make_task(lane) for _ in range(added)]
    if fits:
        queue.push(question)
    else:
        with pytest.raises(Overloaded) as caught:
            queue.push(question)
        assert caught.value.retry_after_seconds >= 1
    assert len(queue) == waiting + added * fits


@pytest.mark.parametrize(("rows", "fits"), [(1, True), (10, True), (11, False)])
async def test_the_number_of_rows_is_limited(rows: int, fits: bool) -> None:
    queue, lane = TaskQueue(QueueLimits(max_rows=10)), make_lane()
    if fits:
        queue.push([make_task(lane, rows)])
    else:
        with pytest.raises(Overloaded):
            queue.push([make_task(lane, rows)])


async def test_riders_that_went_away_make_room_for_others() -> None:
    queue, lane = TaskQueue(QueueLimits(max_requests=4)), make_lane()
    tasks = [make_task(lane, arrived=1) for _ in range(4)]
    for task in tasks:
        queue.push([task])
    with pytest.raises(Overloaded):
        queue.push([make_task(lane, arrived=1.0)])
    tasks[1].done.cancel()
    tasks[3].done.cancel()
    with pytest.raises(Overloaded):
        queue.push([make_task(lane, arrived=1.04)])  # it has just been looked
    late = [make_task(lane, arrived=1.06) for _ in range(2)]
    for task in late:
        queue.push([task])
    assert queue.waiting("m") == (4, 4)
    assert order(queue) == [tasks[0], tasks[2], *late]
    assert queue.waiting("m") == (0, 0)


async def test_one_full_model_leaves_room_for_others() -> None:
    queue, full = TaskQueue(QueueLimits(max_requests=1)), make_lane("full")
    queue.push([make_task(full)])
    with pytest.raises(Overloaded):
        queue.push([make_task(full)])
    queue.push([make_task(make_lane("other"))])
    assert (queue.waiting("full"), queue.waiting("other")) == ((1, 1), (1, 1))


async def test_who_waits_is_counted_by_class_for_one_model() -> None:
    queue, lane, other = TaskQueue(CALM), make_lane("a"), make_lane("b")
    for priority in (0, 1, 1, 2):
        queue.push([make_task(lane, priority=priority)])
    queue.push([make_task(other)])
    queue.pop_batch(1, 0.0)
    assert queue.waiting_by_priority("a") == {1: 2, 2: 1}

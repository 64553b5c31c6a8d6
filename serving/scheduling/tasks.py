"""A question that waits to be run, and the lane of those it may travel with."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from serving.backend import Runner
from serving.scheduling.costs import Costs
from serving.tensors.dtypes import Array


@dataclasses.dataclass(eq=False, slots=True, kw_only=True)
class Lane:
    """What makes questions joinable: one version, one signature, the same outputs and inner shapes."""

    model: str
    run: Runner
    costs: Costs
    """Shared by all lanes of a signature."""
    joins_rows: bool
    """Whether inputs and outputs have rows along their first axis. Turned off when the model disproves it."""
    clock: Callable[[], float] = time.perf_counter
    """What costs are measured with: a busy machine makes time on the wall longer, but not the work."""


class Asker(Protocol):
    """Who waits for a task: a future, or something cheaper that goes on as soon as it is told."""

    def done(self) -> bool:
        """Whether it was told, or has gone away. It is then left out of every batch to come."""

    def set_result(self, outputs: Sequence[Array], /) -> None: ...

    def set_exception(self, error: Exception, /) -> None: ...


# Positional, because one is made for every request: eleven names cost half of what the whole takes.
@dataclasses.dataclass(eq=False, slots=True)
class Task:
    """One question, or one slice of a long one."""

    lane: Lane
    inputs: Sequence[Array]
    rows: int
    """Along the first axis; 1 in a lane that does not join."""
    done: Asker
    arrived: float
    """On the loop's clock."""
    deadline: float | None = None
    """On the loop's clock."""
    priority: int = 1
    """0 before 1 before 2."""
    tenant: str = ""
    cost_seconds: float = 0.0
    """What it is expected to take."""
    question_seconds: float = 0.0
    """What the whole question is expected to take, of which this may be a slice: it decides the order."""
    is_cost_modest: bool = True
    """Whether the real cost is hardly less: only then may a task be refused as hopeless."""
    is_taken: bool = False
    """Whether it has left the queue."""
    taken_at: float = 0.0
    """When it left the queue to be run, on the loop's clock."""

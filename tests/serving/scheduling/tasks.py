"""Tasks to queue, with what a test cares about."""

import asyncio
from typing import Any

import numpy as np

from serving.backend import Runner
from serving.scheduling import Costs, Lane, Task


def make_lane(model: str = "m", *, joins_rows: bool = True, run: Runner | None = None) -> Lane:
    return Lane(model=model, run=run or list, costs=Costs(), joins_rows=joins_rows)


def make_task(lane: Lane, rows: int = 1, cost: float = 1.0, *, arrived: float = 0.0, **fields: Any) -> Task:
    values = fields.pop("values", np.zeros(rows, np.float32))
    return Task(
        lane=lane,
        inputs=[np.asarray(values, np.float32)],
        rows=rows,
        done=asyncio.get_running_loop().create_future(),
        arrived=arrived,
        cost_seconds=cost,
        question_seconds=cost,
        **fields,
    )

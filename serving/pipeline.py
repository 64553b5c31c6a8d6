"""A request's way through the server, whatever its transport: parse, run, render."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from serving.calls import Call
from serving.errors import DeadlineExceeded
from serving.metrics import Metrics
from serving.repository import Servable
from serving.settings import ServingSettings
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature, TensorSpec


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked of a model, as arrays."""

    signature: Signature
    inputs: Sequence[Array]
    """In the order of `signature.inputs`."""
    outputs: Sequence[TensorSpec]
    """What is wanted of `signature.outputs`."""


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
    """Answers exchanges."""

    def __init__(self, settings: ServingSettings, metrics: Metrics) -> None:
        self._metrics = metrics
        self._threads = ThreadPoolExecutor(settings.worker_threads, thread_name_prefix="model")

    async def answer(self, exchange: Exchange) -> bytes:
        """The bytes to send back.

        Raises InvalidRequest for a question that does not fit, DeadlineExceeded when the asker's time is up,
        ModelError when the model fails.
        """
        question = exchange.parse()
        outputs = await self._compute(exchange.servable, question, exchange.call)
        return exchange.render(question, outputs)

    async def _compute(self, servable: Servable, question: Question, call: Call) -> list[Array]:
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, self._run, servable, question)
        try:
            async with asyncio.timeout_at(call.deadline):
                return await running
        except TimeoutError:
            raise DeadlineExceeded("the deadline passed before the model answered") from None

    def _run(self, servable: Servable, question: Question) -> list[Array]:
        run = servable.runner(question.signature, question.outputs)
        started = time.perf_counter()
        outputs = run(question.inputs)
        self._metrics.run_seconds.labels(servable.name).observe(time.perf_counter() - started)
        return outputs

    def close(self) -> None:
        """End the threads once what runs in them is done."""
        self._threads.shutdown()

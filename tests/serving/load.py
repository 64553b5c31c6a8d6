"""Clients that count: every request asks something that no other does, so that a lost or mixed-up answer shows."""

import asyncio
import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import grpc
import grpc.aio
import numpy as np

from serving.protos import predict_pb2

PREDICT = "/tensorflow.serving.PredictionService/Predict"
RIGHT, WRONG, LOST = "right", "WRONG", "lost"


@dataclasses.dataclass
class Tally:
    """What became of the requests of one load, whose model answers `x * factor + offset`."""

    model: str
    factor: float
    offset: float
    outcomes: "Counter[str]" = dataclasses.field(default_factory=Counter)
    numbers: "itertools.count[int]" = dataclasses.field(default_factory=lambda: itertools.count(1))

    def note(self, x: int, answer: float | None) -> None:
        is_right = answer is not None and answer == x * self.factor + self.offset
        self.outcomes[RIGHT if is_right else WRONG] += 1

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())


class RestClient:
    """One kept connection."""

    def __init__(self, tally: Tally, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tally = tally
        self._reader = reader
        self.writer = writer
        self.is_closed = False
        """Whether the server said that this was its last answer, or is gone."""

    async def ask(self) -> None:
        """One question and what became of it; `lost` when the connection ended before the answer."""
        x = next(self._tally.numbers)
        body = json.dumps({"instances": [[x]]}).encode()
        head = f"POST /v1/models/{self._tally.model}:predict HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n"
        try:
            self.writer.write(head.encode() + body)
            status, answer = await self._read()
        except (OSError, asyncio.IncompleteReadError):
            self._tally.outcomes[LOST] += 1
            self.is_closed = True
            return
        if status == 200:
            self._tally.note(x, answer["predictions"][0][0])
        else:
            self._tally.outcomes[str(status)] += 1

    async def _read(self) -> tuple[int, dict[str, list[list[float]]]]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        self.is_closed = b"connection: close" in head
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        return int(head.split()[1]), json.loads(body)


@asynccontextmanager
async def rest_client(tally: Tally, port: int) -> AsyncIterator[RestClient]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield RestClient(tally, reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def ask_grpc(tally: Tally, channel: grpc.aio.Channel) -> None:
    """One question and what became of it; a status other than OK by its name."""
    x = next(tally.numbers)
    try:
        answer = await channel.unary_unary(PREDICT)(question(tally.model, x), timeout=30)
    except grpc.aio.AioRpcError as error:
        tally.outcomes[error.code().name] += 1
        return
    output = predict_pb2.PredictResponse.FromString(answer).outputs["y"]
    tally.note(x, output.float_val[0])


def question(model: str, x: float) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    tensor = request.inputs["x"]
    tensor.dtype = 1
    for size in (1, 1):
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = np.array([x], np.float32).tobytes()
    serialized: bytes = request.SerializeToString()
    return serialized

"""Whether the upstream can answer: asked again and again for the status of each model.

A model stands when any version of it is AVAILABLE. Where both doors of the upstream are used, both must say so:
they are two ports that can fail apart. One look takes a small request; it ends well before the next begins.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import orjson

from serving.errors import ServingError
from serving.http2 import StatusError, UnaryClient
from serving.protos import get_model_status_pb2
from serving.upstream.pool import Pool

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 0.8
_AVAILABLE: Final = 30
_STATUS_PATH: Final = "/tensorflow.serving.ModelService/GetModelStatus"

Probe = Callable[[str], Awaitable[str]]
"""Why the model of that name cannot be asked; empty when it can."""


class Standing:
    """What was found out last. `missing` is what keeps us from being ready."""

    def __init__(self, names: Sequence[str], probes: Sequence[Probe]) -> None:
        self._names = names
        self._probes = probes
        self._missing = [f"{name} has not been asked for yet" for name in names]
        self._task: asyncio.Task[None] | None = None

    def missing(self) -> list[str]:
        return list(self._missing)

    async def start(self) -> None:
        """Look once, then again every second until `close`."""
        await self.look()
        self._task = asyncio.create_task(self._repeat())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Ask for every model at every door."""
        found = await asyncio.gather(*[probe(name) for probe in self._probes for name in self._names])
        missing = list(dict.fromkeys(reason for reason in found if reason))
        if missing != self._missing:
            log.info("the upstream server: %s", "; ".join(missing) or "every model is available")
        self._missing = missing

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()


def grpc_probe(client: UnaryClient) -> Probe:
    async def probe(name: str) -> str:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = name
        try:
            answer = await client.ask(
                _STATUS_PATH, request.SerializeToString(), timeout_seconds=PATIENCE_SECONDS
            )
        except StatusError as error:
            return f"{name}: {error.message} ({error.status.name})"
        response = get_model_status_pb2.GetModelStatusResponse.FromString(answer)
        return _judge(name, [status.state for status in response.model_version_status])

    return probe


def rest_probe(pool: Pool, host: str) -> Probe:
    async def probe(name: str) -> str:
        head = f"GET /v1/models/{name} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode("latin-1")
        try:
            response = await pool.ask(head, b"", deadline=_now() + PATIENCE_SECONDS)
            document = orjson.loads(response.body)
            states = [entry["state"] for entry in document["model_version_status"]]
        except ServingError as error:
            return f"{name}: {error}"
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return f"{name}: the upstream server's REST port answered {response.status} to a status request"
        return _judge(name, [_AVAILABLE if state == "AVAILABLE" else 0 for state in states])

    return probe


def _judge(name: str, states: Sequence[int]) -> str:
    return "" if _AVAILABLE in states else f"{name} has no available version at the upstream server"


def _now() -> float:
    return asyncio.get_running_loop().time()

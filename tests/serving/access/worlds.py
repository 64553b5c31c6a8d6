"""A whole server on real sockets with a fake model behind it, and clients that show a token or not."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import grpc
import grpc.aio
import httpx

from serving.backend import FakeBackend
from serving.protos import predict_pb2
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving.processes import free_port
from tests.serving.worlds import double_backend, write_versions

PREDICT = "/tensorflow.serving.PredictionService/Predict"


class Asked(Protocol):
    """A server, whatever is behind it."""

    grpc_port: int

    @property
    def rest_port(self) -> int: ...


def identity(name: str, token: str = "", **grants: Any) -> dict[str, Any]:
    digests = [hashlib.sha256(token.encode()).hexdigest()] if token else []
    return {"name": name, "token_sha256": digests} | grants


def write_access(path: Path, *identities: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"identities": list(identities)}))
    return path


@asynccontextmanager
async def serve(
    folder: Path,
    *,
    models: tuple[str, ...] = ("double", "other"),
    backend: Callable[[], FakeBackend] = double_backend,
    **settings: Any,
) -> AsyncIterator[Server]:
    """A server of these models, with free ports; its answers are kept from the first on."""
    configs = [
        f'config {{ name: "{name}" base_path: "{write_versions(folder / name, 3)}" }}' for name in models
    ]
    config_file = folder / "models.config"
    config_file.write_text(f"model_config_list {{ {' '.join(configs)} }}")
    chosen = {
        "port": free_port(),
        "rest_api_port": free_port(),
        "accuracy_start": 0.0,
        "enable_model_warmup": False,
        "drain_seconds": 0.0,
    } | settings
    server = Server(
        ServingSettings(listen_address="127.0.0.1", model_config_file=str(config_file), **chosen),
        load=lambda _folder: backend(),
    )
    try:
        await server.start()
        yield server
    finally:
        await server.close()


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


async def ask_rest(
    server: Asked, path: str, *, token: str = "", body: Any = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.rest_port}", timeout=10) as client:
        sent = bearer(token) | (headers or {})
        if body is None:
            return await client.get(path, headers=sent)
        return await client.post(path, json=body, headers=sent)


async def ask_grpc(
    server: Asked, method: str, message: bytes, *, token: str = ""
) -> tuple[grpc.StatusCode, str | bytes]:
    """The status, and the answer or what was said instead of it."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        try:
            metadata = tuple(bearer(token).items())
            return grpc.StatusCode.OK, await channel.unary_unary(method)(
                message, timeout=10, metadata=metadata
            )
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or ""


def question(model: str) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.inputs["x"].dtype = 1
    for size in (1, 2):
        request.inputs["x"].tensor_shape.dim.add(size=size)
    request.inputs["x"].float_val.extend([1, 2])
    serialized: bytes = request.SerializeToString()
    return serialized

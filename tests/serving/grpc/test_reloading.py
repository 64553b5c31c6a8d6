"""HandleReloadConfigRequest on a whole server, over a fake backend."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from serving.protos import model_management_pb2, predict_pb2
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving.access.worlds import identity, write_access
from tests.serving.grpc.test_methods import question
from tests.serving.processes import free_port
from tests.serving.worlds import double_backend, write_versions

PREDICT = "/tensorflow.serving.PredictionService/Predict"
RELOAD = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
TOKEN = "the operator's"
Start = Callable[..., Awaitable[Server]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts servers of the model `double`, version 3; `other`, version 5, lies beside it."""
    write_versions(tmp_path / "double", 3)
    write_versions(tmp_path / "other", 5)
    async with AsyncExitStack() as stack:

        async def run(**more: Any) -> Server:
            settings = ServingSettings(
                listen_address="127.0.0.1",
                port=free_port(),
                rest_api_port=0,
                model_name="double",
                model_base_path=str(tmp_path / "double"),
                enable_model_warmup=False,
                **more,
            )
            server = Server(settings, load=lambda _folder: double_backend())
            stack.push_async_callback(server.close)
            await server.start()
            return server

        yield run


@pytest.fixture
def access(tmp_path: Path) -> str:
    """An access file that lets one operator ask and reload."""
    grants = {"models": {"*": ["infer", "describe"]}, "server": ["reload"]}
    return str(write_access(tmp_path / "access.json", identity("operator", TOKEN, **grants)))


async def ask(server: Server, path: str, message: bytes) -> bytes:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        shown = (("authorization", f"Bearer {TOKEN}"),)
        answer: bytes = await channel.unary_unary(path)(message, timeout=10, metadata=shown)
        return answer


async def refusal(server: Server, path: str, message: bytes) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(server, path, message)
    return caught.value.code(), caught.value.details() or ""


async def version_of(server: Server, name: str) -> int:
    answer = await ask(server, PREDICT, question(name).SerializeToString())
    return int(predict_pb2.PredictResponse.FromString(answer).model_spec.version.value)


def models(*folders: Path) -> bytes:
    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.SetInParent()
    for folder in folders:
        request.config.model_config_list.config.add(name=folder.name, base_path=str(folder))
    return request.SerializeToString()


async def test_the_new_set_is_served_once_the_answer_comes(start: Start, tmp_path: Path, access: str) -> None:
    server = await start(enable_config_reload=True, access_file=access)
    assert await version_of(server, "double") == 3
    answer = await ask(server, RELOAD, models(tmp_path / "other"))
    response = model_management_pb2.ReloadConfigResponse.FromString(answer)
    assert response.HasField("status")
    assert response.status.error_code == 0
    assert await version_of(server, "other") == 5
    code, text = await refusal(server, PREDICT, question("double").SerializeToString())
    assert (code, text) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Latest(double)",
    )


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("double", "missing"), "expected a folder of model versions"),
        ((), "expected models with names of their own"),
    ],
    ids=["one fails", "none"],
)
async def test_a_set_that_fails_changes_nothing(
    start: Start, tmp_path: Path, access: str, names: tuple[str, ...], complaint: str
) -> None:
    server = await start(enable_config_reload=True, access_file=access)
    _, text = await refusal(server, RELOAD, models(*(tmp_path / name for name in names)))
    assert complaint in text
    assert await version_of(server, "double") == 3
    assert server.readiness.obstacles() == []


async def test_only_lists_of_models_are_understood(start: Start, access: str) -> None:
    server = await start(enable_config_reload=True, access_file=access)
    code, text = await refusal(server, RELOAD, b"")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "Only ModelConfigList is currently supported" in text


async def test_it_is_refused_unless_an_operator_switched_it_on(start: Start, tmp_path: Path) -> None:
    server = await start()
    code, text = await refusal(server, RELOAD, models(tmp_path / "other"))
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "--enable_config_reload" in text
    assert await version_of(server, "double") == 3

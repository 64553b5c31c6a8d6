from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from serving.server import Server
from serving.upstream import UpstreamServer
from tests.serving.upstream.worlds import settings
from tests.serving.worlds import double_backend, write_versions


@pytest.fixture
async def behind(tmp_path: Path) -> AsyncIterator[Server]:
    base_path = str(write_versions(tmp_path / "double", 3))
    server = Server(
        settings(model_base_path=base_path, enable_model_warmup=False), load=lambda _folder: double_backend()
    )
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def front(behind: Server) -> AsyncIterator[UpstreamServer]:
    server = UpstreamServer(
        settings(upstream_rest=f"127.0.0.1:{behind.rest_port}", upstream_grpc=f"127.0.0.1:{behind.grpc_port}")
    )
    await server.start()
    yield server
    await server.close()

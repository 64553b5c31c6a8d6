"""The table of methods over a fake backend, and how a method refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.backend import FakeBackend
from serving.calls import Call
from serving.errors import ServingError
from serving.grpc import Method, StatusCode, methods, status_of
from serving.grpc.calls import finished
from serving.metrics import Metrics
from serving.pipeline import Pipeline
from serving.settings import ServingSettings
from tests.serving.worlds import double_backend, double_repository


async def open_table(
    folder: Path,
    *,
    backend: Callable[[], FakeBackend] = double_backend,
    is_ready: bool = True,
    **settings: Any,
) -> dict[str, Method]:
    metrics = Metrics()
    repository = await double_repository(folder, metrics=metrics, backend=backend)
    chosen = ServingSettings(**settings)
    return methods(repository, Pipeline(chosen, metrics), metrics, chosen, is_ready=lambda: is_ready)


async def refused(table: dict[str, Method], path: str, message: bytes) -> tuple[StatusCode, str]:
    with pytest.raises(ServingError) as caught:
        await finished(table[path], message, Call())
    return status_of(caught.value)

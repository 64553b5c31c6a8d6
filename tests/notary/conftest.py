from collections.abc import Iterator

import pytest

from tests.notary.registries import Registry, running


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as server:
        yield server


@pytest.fixture
def image(registry: Registry) -> str:
    return registry.push("team/models/mnist")

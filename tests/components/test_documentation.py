"""docs/components.md names every component and every output of a stack."""

import inspect
from pathlib import Path

import pulumi
import pytest

from components import autoscaling, exposure, images, model_endpoint, model_server, observability, platform
from tests.components.test_platform import deploy

TEXT = (Path(__file__).parents[2] / "docs/components.md").read_text(encoding="utf-8")
MODULES = (autoscaling, exposure, images, model_endpoint, model_server, observability, platform)
COMPONENTS = sorted(
    name
    for module in MODULES
    for name, value in vars(module).items()
    if inspect.isclass(value)
    and issubclass(value, pulumi.ComponentResource)
    and value.__module__ == module.__name__
)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_is_described(component: str):
    assert component in TEXT


def test_every_output_is_described():
    assert [name for name in deploy().outputs if f"`{name}`" not in TEXT] == []

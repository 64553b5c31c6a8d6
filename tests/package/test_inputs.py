"""The package's blocks say what the configuration says: each key with its type and its words."""

import dataclasses
import inspect
import re
import typing
from collections.abc import Mapping
from typing import Any

import pytest

from components import config
from components.config.fields import key_of
from components.config.training_sections import RepositoryConfig, TrainingConfig
from package import inputs

BLOCKS: dict[str, type[Any]] = {
    "Resources": config.ResourcesConfig,
    "Gpu": config.GpuConfig,
    "Server": config.ServerConfig,
    "Autoscaling": config.AutoscalingConfig,
    "Rollout": config.RolloutConfig,
    "Exposure": config.ExposureConfig,
    "Observability": config.ObservabilityConfig,
    "Repository": RepositoryConfig,
    "Training": TrainingConfig,
}
SAID = {tuple[str, ...]: list[str], Mapping[str, Any]: dict[str, str], Mapping[str, str]: dict[str, str]}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_spells_its_keys_as_the_configuration_does(name: str):
    block, section = getattr(inputs, name), BLOCKS[name]
    known, said = typing.get_type_hints(section), typing.get_type_hints(block)
    fields = {each.name: each for each in dataclasses.fields(section)}
    for key, kind in said.items():
        assert kind == SAID.get(known[key], known[key]), key
        written = re.search(rf'    {key}: \S.*\n    """(.*)"""', inspect.getsource(block))
        assert written, key
        assert written[1] == fields[key].metadata["doc"], f"package/inputs.py: {name}.{key}"


def test_names_of_keys_are_the_same_in_every_language():
    keys = {key for name in BLOCKS for key in typing.get_type_hints(getattr(inputs, name))}
    assert all(key_of(key).isidentifier() for key in keys)

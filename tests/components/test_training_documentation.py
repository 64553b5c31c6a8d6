"""docs/training.md lists every key of a training stack with its default and its meaning."""

import dataclasses
from pathlib import Path

import pytest

from components.config.fields import key_of
from components.config.training_sections import RepositoryConfig, TrainingConfig

TEXT = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("section", [RepositoryConfig, TrainingConfig], ids=lambda section: section.SECTION)
def test_every_key_is_described_in_its_own_words(section):
    for each in dataclasses.fields(section):
        (row,) = [
            line
            for line in TEXT.splitlines()
            if line.startswith(f"| `{section.SECTION}.{key_of(each.name)}` |")
        ]
        assert each.metadata["doc"] in row

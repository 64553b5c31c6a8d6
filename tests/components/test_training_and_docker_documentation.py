"""docs/training.md and docs/docker.md describe every key, every argument, and a program that runs."""

import dataclasses
import re
from pathlib import Path

import pytest

from components import docker_host, model_repository, training_job
from components.config.fields import key_of
from components.config.training_sections import RepositoryConfig, TrainingConfig
from tests.components.declared import declare

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "training.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("section", [RepositoryConfig, TrainingConfig], ids=lambda section: section.SECTION)
def test_every_key_is_described_in_its_own_words(section):
    for each in dataclasses.fields(section):
        (row,) = [
            line
            for line in TEXT.splitlines()
            if line.startswith(f"| `{section.SECTION}.{key_of(each.name)}` |")
        ]
        assert each.metadata["doc"] in row


PAGES = {"training": (model_repository, training_job), "docker": (docker_host,)}
ARGUMENTS = [
    (page, f"{name}.{each.name}")
    for page, modules in PAGES.items()
    for module in modules
    for name, value in vars(module).items()
    if name.endswith("Args") and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    for each in dataclasses.fields(value)
    if name != "ClientArgs"
]


@pytest.mark.parametrize(("page", "argument"), ARGUMENTS, ids=[argument for _, argument in ARGUMENTS])
def test_every_argument_of_a_component_is_on_its_page(page: str, argument: str):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert f"`{argument.partition('.')[2]}`" in text


@pytest.mark.parametrize("page", ["training", "docker"])
def test_the_example_of_a_page_declares_what_it_is_about(page: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(DOCS.parent)
    (block,) = re.findall(
        r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL
    )
    program = compile(block, f"docs/{page}.md", "exec")
    declared = declare(lambda: exec(program, {}))
    assert any(not each.type.startswith("tfserving:") for each in declared.resources)

"""Blocks of code in the pages: what cannot run here names commands, flags and keys that exist."""

import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

from components.config import read_config
from model_export import commands
from tests.docs.pages import ROOT, Block, blocks_of

PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    if path.is_file() and "/adr/" not in str(path)
)
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
SHELL = [block for block in BLOCKS if block.language in {"sh", "bash", "console"}]
KNOWN = {
    "bash",
    "console",
    "csharp",
    "go",
    "http",
    "java",
    "json",
    "js",
    "mermaid",
    "proto",
    "python",
    "sh",
    "text",
    "toctree",
    "ts",
    "typescript",
    "yaml",
}


def named(blocks: list[Block]) -> list[str]:
    return [f"{block.page}-{number}" for number, block in enumerate(blocks)]


@pytest.mark.parametrize("block", BLOCKS, ids=named(BLOCKS))
def test_every_block_says_its_language(block: Block) -> None:
    assert block.language in KNOWN


@pytest.mark.parametrize("block", SHELL, ids=named(SHELL))
def test_a_shell_block_is_shell_and_names_commands_that_exist(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for script in re.findall(r"(?<![\w/])bin/[a-z]+", block.text):
        assert (ROOT / script).exists(), script
    for verb in re.findall(r"python -m model_export (\w+)", block.text):
        assert verb in commands.VERBS


SETTINGS = [
    block
    for block in BLOCKS
    if block.language == "yaml" and re.search(r"^  tf-serving-platform:", block.text, re.MULTILINE)
]


@pytest.mark.parametrize("block", SETTINGS, ids=named(SETTINGS))
def test_a_block_of_configuration_is_accepted(block: Block) -> None:
    text = block.text.replace("sha256:…", "sha256:" + "a" * 64)
    config = yaml.safe_load(text)["config"]
    sections = {key.partition(":")[2]: value for key, value in config.items()}
    small = {
        "images": {"registry": "registry.example.com/team"},
        "model": {"name": "mnist", "source": "build/mnist"},
    }
    names = {*small, *sections}
    read_config({name: {**small.get(name, {}), **sections.get(name, {})} for name in names})


OF_A_CLUSTER = [
    (block, line)
    for block in SHELL
    if block.needs == "cluster"
    for line in re.split(r"\n|;|&&", block.text.replace("\\\n", " "))
    if line.strip()
]
FOREIGN = {"kubectl", "openssl", "printf"}
"""Programs whose words are somebody else's: only that the line is shell is looked at."""


@pytest.mark.parametrize(("block", "line"), OF_A_CLUSTER, ids=[line.strip() for _, line in OF_A_CLUSTER])
def test_the_flags_of_a_command_that_needs_a_cluster_exist(block: Block, line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    if program in {"bin/up", "bin/down", "bin/status", "bin/rollback", "bin/cluster"}:
        assert {word for word in words if word.startswith("--")} <= flags_of(program), block.page
    elif program in {"bin/pulumi", "pulumi"}:
        keys = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
        if "--path" in words:
            named = ".".join(words[words.index("--path") + 1].split(".")[:2])
            assert named in keys
    else:
        assert program in FOREIGN or program.startswith("token=$("), f"{block.page}: {program} is not checked"


@cache
def flags_of(program: str) -> set[str]:
    done = subprocess.run([ROOT / program, "--help"], capture_output=True, text=True, check=True)
    return set(re.findall(r"--[a-z][a-z-]+", done.stdout))


def test_every_tutorial_is_followed_by_a_test() -> None:
    followed = (Path(__file__).parent / "test_tutorials.py").read_text()
    pages = sorted((ROOT / "docs/tutorials").glob("*.md"))
    left = [page.name for page in pages if page.name not in followed]
    # What this one tells to type needs a cluster: tests/e2e/road/test_existing_cluster.py does it.
    assert left == ["existing-cluster.md"]


def test_every_command_is_followed_or_says_what_it_needs() -> None:
    """A page that tests follow whole is named in them; what such a page cannot do here is marked with what it would take."""
    sources = [
        (Path(__file__).parent / f"test_{name}.py").read_text() for name in ("tutorials", "commands_of_pages")
    ]
    left = [
        block.page for block in SHELL if not block.needs and not any(block.page in text for text in sources)
    ]
    assert left == []
    assert {block.needs for block in SHELL} <= {"", "builder", "cluster", "database", "registry"}

"""Blocks of code in the pages: each says its language, and what no test runs names commands, flags and keys that exist."""

import re
import shlex
import subprocess
from functools import cache

import pytest
import yaml

from components.config import read_config
from model_export import commands
from tests.docs.pages import ROOT, Block, blocks_of

PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    if "/adr/" not in str(path)
)
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
SHELL = [block for block in BLOCKS if block.is_shell]
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


BY_HAND = [
    (block, line)
    for block in SHELL
    if block.mark.startswith("by hand: ")
    for line in re.split(r"\n|&&", block.text.replace("\\\n", " ").strip())
]
FOREIGN = {"checkov", "cosign", "docker", "git", "pulumi"}
"""Programs whose words are somebody else's: only that the line is shell is looked at."""


@pytest.mark.parametrize(("block", "line"), BY_HAND, ids=[" ".join(line.split()) for _, line in BY_HAND])
def test_a_command_that_no_test_runs_has_flags_and_files_that_exist(block: Block, line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    if program in FOREIGN:
        return
    assert program.startswith("bin/"), block.page
    if program in {"bin/bench", "bin/setup"}:
        verbs = [word for word in words[:1] if not word.startswith("-")]
        assert {word for word in words if word.startswith("--")} <= flags_of(program, *verbs)
    else:
        assert all((ROOT / word).exists() for word in words if not word.startswith("-"))


@cache
def flags_of(*command: str) -> set[str]:
    done = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(re.findall(r"--[a-z][a-z-]+", done.stdout))

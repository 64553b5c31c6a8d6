"""The local stack's settings, changed for the length of a test."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.commands import ROOT, run

PROJECT = "tf-serving-platform"
Change = Callable[[dict[str, Any]], None]


@contextmanager
def changed(change: Change, stack: str = "local") -> Iterator[None]:
    """Change sections of a stack's file in place, and put the file back at the end."""
    with as_it_was(stack) as path:
        path.write_text(_changed(path.read_text(), change))
        yield


@contextmanager
def as_it_was(stack: str) -> Iterator[Path]:
    """Put a stack's file back at the end, whatever has been written into it."""
    path = ROOT / f"Pulumi.{stack}.yaml"
    before = path.read_text()
    try:
        yield path
    finally:
        path.write_text(before)


@contextmanager
def another_stack(name: str, change: Change) -> Iterator[str]:
    """Make a stack beside the local one, in a namespace of its own, and destroy it at the end."""

    def apart(sections: dict[str, Any]) -> None:
        sections["cluster"]["namespace"] = f"tf-serving-{name}"
        sections["server"] = {}
        change(sections)

    path = ROOT / f"Pulumi.{name}.yaml"
    path.write_text(_changed((ROOT / "Pulumi.local.yaml").read_text(), apart))
    try:
        run("bin/pulumi", "stack", "init", name, "--no-select")
        yield name
    finally:
        run("bin/pulumi", "destroy", "--yes", "--skip-preview", "--stack", name, check=False)
        run("bin/pulumi", "stack", "rm", name, "--yes", "--force", check=False)
        # What a destroy that failed has left would be refused as a lost state's the next time.
        run(
            "bin/cluster",
            "kubectl",
            "delete",
            "namespace",
            f"tf-serving-{name}",
            "--ignore-not-found",
            check=False,
        )
        path.unlink(missing_ok=True)


def up(stack: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return run("bin/pulumi", "up", "--yes", "--skip-preview", "--stack", stack, check=check)


def preview(stack: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return run("bin/pulumi", "preview", "--stack", stack, check=check)


def stack_outputs(stack: str) -> dict[str, Any]:
    outputs: dict[str, Any] = json.loads(
        run("bin/pulumi", "stack", "output", "--json", "--stack", stack).stdout
    )
    return outputs


def _changed(text: str, change: Change) -> str:
    settings = yaml.safe_load(text)
    sections = {key.partition(":")[2]: value for key, value in settings["config"].items()}
    change(sections)
    settings["config"] = {f"{PROJECT}:{key}": value for key, value in sections.items() if value}
    return yaml.safe_dump(settings)

"""A copy of this project in a folder of its own, with a state of its own, to run the real Pulumi CLI on: nothing of the checkout changes."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
NAME = "tf-serving-platform"
_SEEN = (
    "Pulumi.yaml",
    "__main__.py",
    "components",
    "model_export",
    "serving",
    "images",
    "examples",
    "policy",
    "notary",
    "trust",
)


@dataclass(frozen=True, kw_only=True)
class Project:
    """The folder, and the environment in which `pulumi` runs there."""

    folder: Path
    environment: Mapping[str, str]

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def write_stack(self, stack: str, **sections: Mapping[str, Any]) -> None:
        """Write the stack file of the checkout with `sections` on top, and create the stack where there is none."""
        path = self.folder / f"Pulumi.{stack}.yaml"
        settings = yaml.safe_load((ROOT / path.name).read_text(encoding="utf-8"))["config"]
        for name, values in sections.items():
            key = f"{NAME}:{name}"
            settings[key] = {**settings.get(key, {}), **values}
        path.write_text(yaml.safe_dump({"config": settings}), encoding="utf-8")
        if stack not in self.pulumi("stack", "ls", "--json").stdout:
            made = self.pulumi("stack", "init", "--no-select", stack)
            assert made.returncode == 0, made.stderr


def make(folder: Path) -> Project:
    """Return a project in `folder`; skips the test where `bin/setup` has not been run."""
    for name in _SEEN:
        (folder / name).symlink_to(ROOT / name)
    state = folder / "state"
    state.mkdir()
    return Project(folder=folder, environment=environment() | {"PULUMI_BACKEND_URL": f"file://{state}"})


def environment() -> dict[str, str]:
    """Return the environment of `bin/pulumi`, with an empty passphrase."""
    asked = subprocess.run(
        ["python3", "-m", "toolchain", "env"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        pytest.skip(f"needs the Pulumi CLI: {asked.stderr.strip()}")
    words = [shlex.split(line.removeprefix("export ")) for line in asked.stdout.splitlines()]
    found = dict(word.split("=", 1) for (word, *_) in words)
    return os.environ | found | {"PULUMI_CONFIG_PASSPHRASE": ""}

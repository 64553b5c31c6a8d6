"""Example programs with a project of their own, each as a stack that lasts as long as a test."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.commands import ROOT, run


@dataclass(frozen=True, kw_only=True)
class ProjectStack:
    """A stack of the program in `folder`, which is relative to the checkout."""

    folder: str
    name: str

    def configure(self, **sections: Any) -> None:
        """Write the stack's file anew."""
        project = yaml.safe_load((ROOT / self.folder / "Pulumi.yaml").read_text())["name"]
        settings = {f"{project}:{name}": value for name, value in sections.items()}
        self._file.write_text(yaml.safe_dump({"config": settings}))

    def pulumi(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run("bin/pulumi", "--cwd", self.folder, *words, "--stack", self.name, check=check)

    def up(self) -> dict[str, Any]:
        """Apply the program and return its outputs."""
        self.pulumi("up", "--yes", "--skip-preview")
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json").stdout)
        return outputs

    def remove(self) -> None:
        self.pulumi("destroy", "--yes", "--skip-preview", check=False)
        run("bin/pulumi", "--cwd", self.folder, "stack", "rm", self.name, "--yes", "--force", check=False)
        self._file.unlink(missing_ok=True)

    @property
    def _file(self) -> Path:
        return ROOT / self.folder / f"Pulumi.{self.name}.yaml"


@contextmanager
def project_stack(folder: str, name: str, **sections: Any) -> Iterator[ProjectStack]:
    """Make a stack of a program of its own, and destroy it at the end."""
    made = ProjectStack(folder=folder, name=name)
    made.configure(**sections)
    try:
        run("bin/pulumi", "--cwd", folder, "stack", "init", name, "--no-select")
        yield made
    finally:
        made.remove()

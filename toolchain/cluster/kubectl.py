"""Asking the API server through kubectl: one client for people, for tests and for us."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.errors import ComponentFailed


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl as the administrator of one cluster."""

    program: Path
    kubeconfig: Path

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl and return what it printed and how it ended."""
        command = [str(self.program), f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True)

    def require(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl and return its output. Raises ComponentFailed with kubectl's own words."""
        result = self.run(*arguments, stdin=stdin)
        if result.returncode != 0:
            raise ComponentFailed(f"`kubectl {' '.join(arguments)}` failed: {result.stderr.strip()}")
        return result.stdout

    def read(self, *arguments: str) -> dict[str, Any] | None:
        """Return the object that `get` prints, or None when there is none or nobody answers."""
        result = self.run("get", *arguments, "--output=json")
        if result.returncode != 0:
            return None
        answer: dict[str, Any] = json.loads(result.stdout)  # any Kubernetes object
        return answer

"""Parts of this machine that a stack for another cluster may use: base images in its registry, and an image builder.

Where the registry holds no base images of ours, the program's own default holds: Debian's public image. A builder that the user has
is always preferred to ours.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

from launch.commands import ROOT, run
from launch.registry import has_image

_BASES: Final = {"base": "debian:bookworm", "builderBase": "debian-builder:bookworm"}
_BUILDER: Final = "tf-serving-platform"


def own_bases(registry: str) -> dict[str, str]:
    """Return `images.base` and `images.builderBase` where the registry holds images of those names."""
    found = {key: f"{registry}/{name}" for key, name in _BASES.items()}
    return found if all(has_image(reference) for reference in found.values()) else {}


def own_builder() -> dict[str, str]:
    """Return `images.builder` where this machine has no other builder; `ensure_builder` starts it."""
    return {} if _has_other_builder() else {"builder": _BUILDER}


def ensure_builder() -> None:
    """Start the builder of `bin/cluster`, and its registry, where this machine has no other. Raises StepError."""
    if not _has_other_builder() and not cluster_is_running():
        words = [str(ROOT / "bin/cluster"), "up", "--images-only"]
        run(words, otherwise="create a builder with `docker buildx create --use`")


def _has_other_builder() -> bool:
    """Whether `docker buildx` has a current builder; the driver `docker` cannot export what the program asks for."""
    try:
        asked = subprocess.run(
            ["docker", "buildx", "inspect"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    drivers = [line.split()[-1] for line in asked.stdout.splitlines() if line.startswith("Driver:")]
    return asked.returncode == 0 and drivers != ["docker"]


def cluster_is_running() -> bool:
    """Whether `bin/cluster status` calls the cluster of this machine running."""
    words = [str(ROOT / "bin/cluster"), "status", "--json"]
    asked = subprocess.run(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
    )
    try:
        return asked.returncode == 0 and json.loads(asked.stdout)["running"] is True
    except (ValueError, KeyError):
        return False


def aim_at(context: str | None) -> None:
    """Let commands find the cluster meant: the user's, where kubectl looks for it, or that of this machine."""
    usual = Path.home() / ".kube/config"
    if context is None:
        os.environ.pop("KUBECONFIG", None)
    elif usual.exists():
        os.environ.setdefault("KUBECONFIG", str(usual))

"""Parts of this machine that a stack for another cluster may use: base images in its registry, and the image builder of `bin/cluster`.

Where they are not there, the program's own defaults hold: Debian's public image and the current builder of `docker buildx`.
"""

from __future__ import annotations

import json
import subprocess
from typing import Final

from launch.commands import ROOT
from launch.registry import has_image

_BASES: Final = {"base": "debian:bookworm", "builderBase": "debian-builder:bookworm"}
_BUILDER: Final = "tf-serving-platform"


def own_bases(registry: str) -> dict[str, str]:
    """Return `images.base` and `images.builderBase` where the registry holds images of those names."""
    found = {key: f"{registry}/{name}" for key, name in _BASES.items()}
    return found if all(has_image(reference) for reference in found.values()) else {}


def own_builder() -> dict[str, str]:
    """Return `images.builder` where the cluster of this machine is running, and its builder with it."""
    return {"builder": _BUILDER} if cluster_is_running() else {}


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

"""Definitions of custom resources, taken as they are from the Go modules of the projects whose controllers read them.

What the components declare for a Gateway, KEDA, Kueue and the Prometheus operator is held to these by the tests. A copy in the checkout
would be somebody else's work under our name, and would age unseen; `toolchain/modules/definitions` pins versions and sums instead.
"""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toolchain import binaries, build
from toolchain.folders import Folders
from toolchain.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a project keeps its definitions."""

    project: str
    """What its folder is called here."""
    go_module: str
    folder: str
    """Path inside the Go module."""
    files: tuple[str, ...] = ("*.yaml",)
    """Patterns of the files that are taken."""


MODULE: Final = "definitions"
SOURCES: Final = (
    Source(
        project="gateway-api",
        go_module="sigs.k8s.io/gateway-api",
        folder="config/crd/standard",
        # Not the policy beside them, which refuses definitions of other versions on the whole cluster.
        files=("gateway.networking.k8s.io_[!v]*.yaml",),
    ),
    Source(project="keda", go_module="github.com/kedacore/keda/v2", folder="config/crd/bases"),
    Source(project="kueue", go_module="sigs.k8s.io/kueue", folder="config/components/crd/bases"),
    Source(
        project="prometheus-operator",
        go_module="github.com/prometheus-operator/prometheus-operator",
        folder="example/prometheus-operator-crd",
        files=("*_podmonitors.yaml", "*_prometheusrules.yaml"),
    ),
)


def fetch_missing(folders: Folders, progress: Progress) -> None:
    """Take what is not there yet. Raises MissingRequirement without Go, UnreachableRegistry when modules cannot be fetched."""
    target = location(folders)
    with progress.step("definitions") as step:
        if target.exists():
            step.note = "already there"
            return
        go = build.require_go()
        partial = target.with_name(target.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for source in SOURCES:
            step.note = source.go_module
            module = build.module_folder(go, source.go_module, binaries.MODULES / MODULE, folders)
            (partial / source.project).mkdir(parents=True)
            for path in sorted(path for each in source.files for path in (module / source.folder).glob(each)):
                shutil.copyfile(path, partial / source.project / path.name)
        partial.rename(target)


def location(folders: Folders) -> Path:
    """Return the folder in which each project has one of its own: named by the pins and by this table."""
    digest = hashlib.sha256(repr(SOURCES).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((binaries.MODULES / MODULE / name).read_bytes())
    return folders.binaries / f"{MODULE}-{digest.hexdigest()[:12]}"

"""Writing manifests into a folder that holds nothing else: one file an object, and a kustomization.yaml that lists them in order."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from render.errors import RenderError
from render.manifests import Manifest

_INDEX: Final = "kustomization.yaml"
_MARK: Final = "# Written by bin/render; changes here are lost."


def write(folder: Path, manifests: Sequence[Manifest]) -> None:
    """Replace what an earlier rendering left in `folder`.

    Raises RenderError where the folder holds files that no rendering wrote, or two objects want one file.
    """
    names = [each.file_name for each in manifests]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise RenderError(
            f"two objects would be written to {min(twice)}: kind and name are alike in two namespaces; render them apart"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _remove_earlier(folder)
    for manifest in manifests:
        (folder / manifest.file_name).write_text(_text(dict(manifest.content)), encoding="utf-8")
    index = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": names}
    (folder / _INDEX).write_text(_text(index), encoding="utf-8")


def _remove_earlier(folder: Path) -> None:
    entries = sorted(folder.iterdir())
    strangers = [each.name for each in entries if not _is_ours(each)]
    if strangers:
        raise RenderError(
            f"{folder} holds {strangers[0]}, which no rendering wrote; name an empty folder, or move that away"
        )
    for each in entries:
        each.unlink()


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.suffix == ".yaml" and path.read_text(encoding="utf-8").startswith(_MARK)


def _text(content: dict[str, Any]) -> str:
    return f"{_MARK}\n{yaml.safe_dump(content, sort_keys=False, width=140)}"

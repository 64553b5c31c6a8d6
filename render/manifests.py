"""From what `pulumi preview --json` says to the objects that `kubectl apply` takes: pure functions over plain data.

Three things are Pulumi's alone and go: its annotations, what it ignores changes of (a number of pods that an autoscaler owns: applying it
again would fight), and values that are only known after an update. The last are image digests; whoever renders names them, or has built
the images with the stack before.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from render.errors import RenderError

_UNKNOWN: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a text
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)
"""How previews write what is not known yet (`sdk/go/common/resource/plugin/rpc.go` of Pulumi)."""
_SECRET: Final = "[secret]"  # noqa: S105 - how previews write a secret
_GONE: Final = frozenset(
    {
        "delete",
        "delete-replaced",
        "discard-replaced",
        "discard",
        "read",
        "read-replacement",
        "remove-pending-replace",
    }
)
_ORDER: Final = (
    "Namespace",
    "ResourceQuota",
    "ServiceAccount",
    "PersistentVolumeClaim",
    "ConfigMap",
    "NetworkPolicy",
    "ResourceClaimTemplate",
    "Service",
)
"""What others need comes first; the rest follows by kind and name."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One object."""

    content: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Kind of the object."""
        return str(self.content["kind"])

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return str(self.content["metadata"]["name"])

    @property
    def file_name(self) -> str:
        """A name that stays the same from version to version, so that a diff shows what changed."""
        return f"{self.kind.lower()}-{self.name}.yaml"


def manifests(preview: Mapping[str, Any], images: Mapping[str, str]) -> list[Manifest]:
    """Return the objects of a preview in the order to apply them.

    `images` names an image by digest for each Deployment or Job whose image the stack has not built yet. Raises RenderError for a value
    that is a secret or is not known.
    """
    found = [
        Manifest(content=_content(state, images))
        for state in _states(preview)
        if state["type"].startswith("kubernetes:") and "kind" in state.get("inputs", {})
    ]
    unused = images.keys() - {each.name for each in found}
    if unused:
        known = ", ".join(sorted({each.name for each in found if _containers(each.content)}))
        raise RenderError(f"--image {min(unused)}=…: the stack has no such object; it has {known}")
    return sorted(found, key=_position)


def _states(preview: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    states = {
        step["newState"]["urn"]: step["newState"]
        for step in preview.get("steps", [])
        if step["op"] not in _GONE and step.get("newState")
    }
    yield from states.values()


def _content(state: Mapping[str, Any], images: Mapping[str, str]) -> dict[str, Any]:
    content: dict[str, Any] = copy.deepcopy(dict(state["inputs"]))
    metadata = content.get("metadata", {})
    label = f"{content['kind']} {metadata.get('name', '')}"
    annotations = metadata.get("annotations", {})
    if "name" not in metadata or annotations.get("pulumi.com/autonamed") == "true":
        raise RenderError(
            f"{content['kind']} of {state['urn']} has no name of its own, so it would be another object in each rendering; name it"
        )
    kept = {key: value for key, value in annotations.items() if not key.startswith("pulumi.com/")}
    metadata.pop("annotations", None)
    if kept:
        metadata["annotations"] = kept
    for path in state.get("ignoreChanges", []):
        _remove(content, path.split("."))
    _name_images(content, images.get(str(metadata["name"])))
    _refuse_what_is_not_for_files(content, label, str(metadata["name"]))
    return content


def _remove(content: dict[str, Any], path: list[str]) -> None:
    *way, last = path
    place: Any = content
    for step in way:
        place = place.get(step, {}) if isinstance(place, dict) else {}
    if isinstance(place, dict):
        place.pop(last, None)


def _name_images(content: Mapping[str, Any], image: str | None) -> None:
    for container in _containers(content):
        if image and container.get("image") in _UNKNOWN:
            container["image"] = image


def _containers(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    pod = content.get("spec", {}).get("template", {}).get("spec", {})
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


def _refuse_what_is_not_for_files(content: Mapping[str, Any], label: str, name: str) -> None:
    if content["kind"] == "Secret":
        raise RenderError(
            f"{label} would stand in git as it is; let the cluster's own secret store make it, and refer to it by name"
        )
    for path, value in _leaves(content, ""):
        if value == _SECRET:
            raise RenderError(
                f"{label}: {path} is a secret, and files in git are read by many; mount a Secret that the cluster holds"
            )
        if value in _UNKNOWN:
            is_image = path.endswith(".image")
            remedy = (
                f"build the images first with `bin/pulumi up --target '**docker-build:index:Image**'`, or name "
                f"it with --image {name}=NAME@sha256:…"
                if is_image
                else "give it a value that the program knows"
            )
            raise RenderError(f"{label}: {path} is only known after an update; {remedy}")


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    else:
        yield path, value if not isinstance(value, list | dict) else None


def _position(manifest: Manifest) -> tuple[int, str, str]:
    known = _ORDER.index(manifest.kind) if manifest.kind in _ORDER else len(_ORDER)
    return known, manifest.kind, manifest.name

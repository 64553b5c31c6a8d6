"""One Pulumi stack, through the same `bin/pulumi` that a user types.

The stack for an existing cluster is named after its kubeconfig context, so that each cluster has state of its own, and its
`Pulumi.<stack>.yaml` is written once, for the user to keep and edit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from launch.commands import ROOT, read, run
from launch.own_parts import own_bases, own_builder
from launch.registry import is_lost
from launch.steps import StepError

_PULUMI: Final = ROOT / "bin/pulumi"
_PROJECT: Final = "tf-serving-platform"
_EVERY_IMAGE: Final = "**docker-build:index:Image**"
_EXAMPLE: Final = {
    "name": "mnist",
    "source": "build/mnist",
    "inputs": ["images"],
    "outputs": ["scores"],
    "signature": "predict_images",
    "evaluate": "build/mnist/heldout.npz",
}


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack by its name."""

    name: str

    @property
    def settings_path(self) -> Path:
        """The stack's settings file."""
        return ROOT / f"Pulumi.{self.name}.yaml"

    def select(self) -> None:
        """Select the stack, creating it on first use."""
        run(
            [_PULUMI, "stack", "select", "--create", self.name, "--non-interactive"],
            otherwise="see `bin/pulumi whoami --verbose` for the backend in use",
        )

    def up(self) -> None:
        """Apply the program, with Pulumi's own progress.

        It looks at the cluster and at the registry first: one that was made anew since the last time has none of what the state
        remembers. Pulumi's own refresh cannot tell for images, because it asks registries over TLS only.
        """
        words = ["up", "--refresh", "--yes", "--skip-preview", "--suppress-outputs", "--stack", self.name]
        if self._has_lost_an_image():
            words += ["--replace", _EVERY_IMAGE]
        run(
            [_PULUMI, *words],
            otherwise="the lines above name the resource and the reason; mend it and run the same command again",
        )

    def roll(self) -> None:
        """Apply the program as it is configured, with Pulumi's own progress."""
        run(
            [_PULUMI, "up", "--yes", "--skip-preview", "--suppress-outputs", "--stack", self.name],
            otherwise="the lines above name the resource and the reason; the settings are written, so `bin/pulumi up` goes on from here",
        )

    def has_failed(self) -> bool:
        """Whether the last update did not succeed, so that the outputs are older than the settings."""
        listed = read(
            [_PULUMI, "stack", "history", "--json", "--stack", self.name],
            otherwise="see `bin/pulumi stack ls`",
        )
        updates = [each for each in json.loads(listed or "[]") if each["kind"] == "update"]
        return bool(updates) and updates[0]["result"] != "succeeded"

    def settings(self) -> dict[str, Any]:
        """Return the stack's configuration: sections by name."""
        listed = read(
            [_PULUMI, "config", "--json", "--stack", self.name], otherwise="see `bin/pulumi stack ls`"
        )
        found = {key.partition(":")[2]: value for key, value in json.loads(listed).items()}
        return {name: value.get("objectValue", {}) for name, value in found.items()}

    def set(self, section: str, values: Mapping[str, object]) -> None:
        """Write keys of a section, such as `model`, into the stack's settings file."""
        words = [f"--plaintext={section}.{key}={value}" for key, value in values.items()]
        run(
            [_PULUMI, "config", "set-all", "--path", *words, "--stack", self.name],
            otherwise=f"see whether {self.settings_path.name} can be written",
        )

    def _has_lost_an_image(self) -> bool:
        outputs = self.outputs()
        references = [outputs.get("image"), *outputs.get("runtime_images", {}).values()]
        return any(is_lost(reference) for reference in references if reference)

    def destroy(self) -> None:
        """Delete everything that the stack made."""
        run(
            [_PULUMI, "destroy", "--yes", "--skip-preview", "--stack", self.name],
            otherwise="the lines above name the resource; `bin/pulumi refresh` accepts what is gone already",
        )

    def forget(self) -> None:
        """Drop the stack's state without touching any resource, for a cluster that is gone."""
        run(
            [_PULUMI, "stack", "rm", "--yes", "--force", "--preserve-config", self.name],
            otherwise="see `bin/pulumi stack ls`",
        )

    def exists(self) -> bool:
        """Whether the backend knows the stack."""
        listed = read([_PULUMI, "stack", "ls", "--json"], otherwise="see `bin/pulumi whoami --verbose`")
        return any(each["name"].rpartition("/")[2] == self.name for each in json.loads(listed))

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs."""
        printed = read(
            [_PULUMI, "stack", "output", "--json", "--stack", self.name],
            otherwise="the stack has no outputs yet: run `bin/pulumi up`",
        )
        outputs: dict[str, Any] = json.loads(printed)  # JSON from the CLI
        return outputs


def stack_for(context: str | None, registry: str | None) -> Stack:
    """Return the stack to deploy: `local`, or the one of an existing cluster's context, with its settings file written.

    Raises StepError when only one of the two is given: an existing cluster cannot pull from this machine's registry.
    """
    if context is None and registry is None:
        return Stack(name="local")
    if context is None or registry is None:
        missing = "--registry" if registry is None else "--context"
        message = f"expected --context and --registry together, received no {missing}; name both"
        raise StepError(message)
    stack = stack_of(context)
    if not stack.settings_path.exists():
        stack.settings_path.write_text(_settings(context, registry), encoding="utf-8")
    return stack


def stack_of(context: str) -> Stack:
    """Return the stack that belongs to a kubeconfig context."""
    return Stack(name=f"context-{re.sub(r'[^a-z0-9-]+', '-', context.lower()).strip('-')}")


def _settings(context: str, registry: str) -> str:
    """The example model behind a ClusterIP Service; JSON is YAML, so every name is quoted right."""
    sections: dict[str, Mapping[str, object]] = {
        "cluster": {"context": context, "namespace": "tf-serving"},
        "images": {"registry": registry, **own_bases(registry), **own_builder()},
        "model": _EXAMPLE,
    }
    lines = [
        f"# The cluster behind the kubeconfig context {json.dumps(context)}; written once by bin/up, yours to edit.",
        "config:",
    ]
    for section, keys in sections.items():
        lines.append(f"  {_PROJECT}:{section}:")
        lines += [f"    {key}: {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"

"""`bin/rollback`: back to the version and image that a model ran before, in one command that builds nothing.

What ran before is in the stack's outputs, by digest; after an update that failed it is what they still say. The version's folder is
looked up beside the one that is served, compared with the recorded digest, and written into the stack's settings together with the
image: `model.source`, `model.version` and `model.pushedImage`. Then `pulumi up` rolls the pods, without an image to build. The way
forward again is a new `model.source`, and `bin/pulumi config rm --path model.pushedImage`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from launch.commands import ROOT
from launch.stack import Stack
from launch.steps import StepError, Steps, say

_REPOSITORY: Final = "build/models"
"""Where versions are exported to unless `model.repository` says otherwise, as Pulumi.yaml declares it."""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """Where a rollback goes."""

    version: int
    digest: str
    image: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A stack's configuration, as one of its models sees it."""

    sections: Mapping[str, Any]
    model: str

    def of(self, section: str) -> dict[str, Any]:
        """Return a section: the stack's, with the model's own keys on top."""
        own = self.sections.get("models", {}).get(self.model, {})
        return {**self.sections.get(section, {}), **own.get(section, {})}

    def path(self, section: str) -> str:
        """Return where a section of the model is written."""
        is_one_of_several = self.model in self.sections.get("models", {})
        return f'models["{self.model}"].{section}' if is_one_of_several else section


def main() -> int:
    arguments = _arguments()
    steps, stack = Steps(total=3), Stack(name=arguments.stack)
    try:
        with steps.step(
            "find", f"Find what {arguments.model or 'the model'} of stack {stack.name} ran before"
        ):
            name, facts = chosen_model(stack.outputs(), arguments.model)
            settings = Settings(sections=stack.settings(), model=name)
            refuse_canary(settings)
            image = settings.of("model").get("pushedImage", "")
            aim = aim_of(name, facts, failed_with=image if stack.has_failed() else None)
            folder = folder_of(aim, name, [*_bases(settings), *arguments.source])
            say(f"    version {aim.version} from {folder}, image {aim.image}")
        with steps.step("settings", f"Write it into {stack.settings_path.name}"):
            stack.set(settings.path("model"), keys_of(aim, folder, settings))
        with steps.step("deploy", "Roll the pods; no image is built: pulumi up"):
            stack.roll()
    except StepError as error:
        say(f"bin/rollback stopped at {error}")
        return 1
    say(f"model {name} runs version {aim.version} again")
    return 0


def chosen_model(outputs: Mapping[str, Any], name: str) -> tuple[str, Mapping[str, Any]]:
    """Return name and facts of the model to roll back. Raises StepError where the stack has no such model, or several and no name."""
    models: Mapping[str, Any] = outputs.get("models", {})
    if name in models or (not name and len(models) == 1):
        chosen = name or next(iter(models))
        return chosen, models[chosen]
    known = ", ".join(sorted(models)) or "none yet: it was never deployed"
    message = (
        f"expected --model to be one of the stack's models, received {name or 'nothing'}; they are {known}"
    )
    raise StepError(message)


def aim_of(name: str, facts: Mapping[str, Any], *, failed_with: str | None = None) -> Aim:
    """Return what the model ran before: what the outputs remember, or after an update that failed what they still say.

    `failed_with` is the pushed image that such an update was given, "" for none: of what ran before, it was this command that failed,
    and it goes on to where it went. Raises StepError where the outputs remember nothing.
    """
    before: Mapping[str, Any] = facts.get("previous") or {}
    is_under_way = bool(before) and failed_with == before["image"]
    found = before if failed_with is None or is_under_way else facts
    if not found:
        message = (
            f"model {name} has run nothing but version {facts.get('model_version')} since the stack remembers; set model.source to the "
            "folder that you want and run `bin/pulumi up`"
        )
        raise StepError(message)
    return Aim(version=found["model_version"], digest=found["model_digest"], image=found["image"])


def folder_of(aim: Aim, name: str, bases: list[str]) -> str:
    """Return the version folder below one of `bases` that holds exactly what ran before. Raises StepError where none does."""
    looked_at = [Path(base) / str(aim.version) for base in bases]
    for folder in looked_at:
        if _digest(folder) == aim.digest:
            return str(folder)
    places = ", ".join(dict.fromkeys(map(str, looked_at)))
    message = (
        f"expected version {aim.version} of {name} with the digest {aim.digest} in one of {places}, found none; fetch it "
        f"(`python -m model_export fetch`) and name the folder above it with --source"
    )
    raise StepError(message)


def _digest(folder: Path) -> str:
    try:
        manifest: dict[str, Any] = json.loads((ROOT / folder / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return ""
    return str(manifest.get("identity", ""))


def refuse_canary(settings: Settings) -> None:
    """Raise StepError where a canary decides what the stable pods run: it goes back by its own key."""
    if settings.of("canary").get("source"):
        message = (
            f"model {settings.model} has a canary, which goes back by its phase: `bin/pulumi config set --path "
            f"{settings.path('canary')}.phase aborted`, then `bin/pulumi up`"
        )
        raise StepError(message)


def keys_of(aim: Aim, folder: str, settings: Settings) -> dict[str, object]:
    """Return what to write into the model's section; a version that pods fetch or mount has no image of its own."""
    is_in_image = settings.of("delivery").get("mode", "image") == "image"
    return {
        "source": folder,
        "version": aim.version,
        **({"pushedImage": aim.image} if is_in_image else {}),
    }


def _bases(settings: Settings) -> list[str]:
    model = settings.of("model")
    repository, source = model.get("repository", _REPOSITORY), model.get("source", "")
    return [f"{repository}/{settings.model}", *([str(Path(source).parent)] if source else [])]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/rollback", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", default="local", help="stack to roll back (local)")
    parser.add_argument("--model", default="", help="model of a stack that has several")
    parser.add_argument(
        "--source", action="append", default=[], help="folder of version folders to look in as well"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""The project's own program with a fault in it, run through Pulumi's Automation API.

A transform stands between the program and the cluster and spoils the pods of the Deployment: it is the escape hatch that operators
have, used to break on purpose what no setting can break.
"""

import os
import runpy
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi import automation

from tests.e2e.commands import ROOT, run
from tests.e2e.settings import PROJECT

Spoil = Callable[[dict[str, Any]], None]
"""Changes the spec of the pods in place."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an update ended."""

    succeeded: bool
    said: str
    """All that the operator saw."""


def up_with(stack: str, spoil: Spoil) -> Outcome:
    """Update `stack` with the project's program, whose pods `spoil` changes."""

    def program() -> None:
        pulumi.runtime.register_resource_transform(_transform(spoil))
        runpy.run_path("__main__.py")

    environment = _environment()
    command = Path(shutil.which("pulumi", path=environment["PATH"]) or "pulumi")
    options = automation.LocalWorkspaceOptions(
        work_dir=str(ROOT),
        env_vars=environment,
        pulumi_command=automation.PulumiCommand(root=str(command.parents[1])),
    )
    there = automation.select_stack(stack, PROJECT, program, opts=options)
    lines: list[str] = []
    try:
        # The program runs in this process, where an operator's shell would have the same variables.
        with patch.dict(os.environ, environment):
            there.up(on_output=lines.append, color="never")
    except automation.CommandError as error:
        return Outcome(succeeded=False, said="\n".join([*lines, str(error)]))
    return Outcome(succeeded=True, said="\n".join(lines))


def _transform(
    spoil: Spoil,
) -> Callable[[pulumi.ResourceTransformArgs], pulumi.ResourceTransformResult | None]:
    def change(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != "kubernetes:apps/v1:Deployment":
            return None
        props = dict(args.props)
        spoil(props["spec"]["template"]["spec"])
        return pulumi.ResourceTransformResult(props=props, opts=args.opts)

    return change


def _environment() -> dict[str, str]:
    exports = run("python3", "-m", "toolchain", "env").stdout.splitlines()
    words = [shlex.split(line)[1] for line in exports if line.startswith("export ")]
    return {**os.environ, **dict(word.split("=", 1) for word in words)}

"""The project's own program with a fault in it, run through Pulumi's Automation API.

A transform stands between the program and the cluster and spoils the pods of the Deployment: it is the escape hatch that operators
have, used to break on purpose what no setting can break.
"""

import os
import runpy
import shlex
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

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
    """Update `stack` with the project's program, whose pods `spoil`, a function of a module, changes.

    The program runs in a process of its own: what Pulumi's runtime keeps of a program that ran would meet the next one in this process.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_up_with, stack, spoil).result()


def _up_with(stack: str, spoil: Spoil) -> Outcome:
    def program() -> None:
        pulumi.runtime.register_resource_transform(_transform(spoil))
        runpy.run_path("__main__.py")

    os.environ.update(_environment())  # an operator's shell would have the same variables
    command = Path(shutil.which("pulumi") or "pulumi")
    options = automation.LocalWorkspaceOptions(
        work_dir=str(ROOT), pulumi_command=automation.PulumiCommand(root=str(command.parents[1]))
    )
    there = automation.select_stack(stack, PROJECT, program, opts=options)
    lines: list[str] = []
    try:
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
    return dict(word.split("=", 1) for word in words)

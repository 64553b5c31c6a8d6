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
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation

from tests.e2e.commands import ROOT, run
from tests.e2e.settings import PROJECT, up

Spoil = Callable[[dict[str, Any]], None]
"""Changes the spec of the pods in place."""


ATTEMPTS = 2


def failed_up(stack: str, spoil: Spoil) -> str:
    """Update `stack` with the project's program, whose pods `spoil`, a function of a module, changes; return what the operator saw.

    The program runs in a process of its own: what Pulumi's runtime keeps of a program that ran would meet the next one in this process.
    An update that is said to have succeeded is taken back and made once more: the Kubernetes provider (4.25) takes the old pods for the
    new ones where the first that it hears of a Deployment is older than its own change.
    """
    for _ in range(ATTEMPTS):
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
            succeeded, said = pool.submit(_up, stack, spoil).result()
        if not succeeded:
            return said
        up(stack)
    pytest.fail(f"the update succeeded with spoilt pods:\n{said}")


def _up(stack: str, spoil: Spoil) -> tuple[bool, str]:
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
        return False, "\n".join([*lines, str(error)])
    return True, "\n".join(lines)


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

"""The project's own program with a fault in it, run through Pulumi's Automation API.

A transform stands between the program and the cluster. It spoils the pods of the Deployment, or hangs a hook on one resource that kills
a process: it is the escape hatch that operators have, used to break on purpose what no setting can break.
"""

import os
import runpy
import select
import shlex
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
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
Transform = Callable[[pulumi.ResourceTransformArgs], pulumi.ResourceTransformResult | None]


ATTEMPTS = 2


def failed_up(stack: str, spoil: Spoil) -> str:
    """Update `stack` with the project's program, whose pods `spoil`, a function of a module, changes; return what the operator saw."""
    return failed(partial(_in_a_process, stack, partial(_spoil_pods, spoil)), stack)


def failed(update: Callable[[], tuple[bool, str]], stack: str) -> str:
    """Return what the operator saw of an update of `stack` that must not succeed.

    One that is said to have succeeded is taken back and made once more: the Kubernetes provider (4.25) takes the old pods for the
    new ones where the first that it hears of a Deployment is older than its own change.
    """
    for _ in range(ATTEMPTS):
        succeeded, said = update()
        if not succeeded:
            return said
        up(stack)
    pytest.fail(f"the update succeeded:\n{said}")


def up_and_kill(pid: int, stack: str, *, before: str, kind: str) -> tuple[bool, str]:
    """Update `stack`, and kill a process `before` a resource of this kind is touched: at its `create` or `update`.

    Returns whether the update succeeded, and what the operator saw.
    """
    return _in_a_process(stack, partial(_kill_before, pid, before, kind))


def _in_a_process(stack: str, transform: Transform) -> tuple[bool, str]:
    # A process of its own: what Pulumi's runtime keeps of a program that ran would meet the next one in this process.
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, stack, transform).result()


def _run(stack: str, transform: Transform) -> tuple[bool, str]:
    def program() -> None:
        pulumi.runtime.register_resource_transform(transform)
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


def _spoil_pods(spoil: Spoil, args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if args.type_ != "kubernetes:apps/v1:Deployment":
        return None
    props = dict(args.props)
    spoil(props["spec"]["template"]["spec"])
    return pulumi.ResourceTransformResult(props=props, opts=args.opts)


def _kill_before(
    pid: int, step: str, kind: str, args: pulumi.ResourceTransformArgs
) -> pulumi.ResourceTransformResult | None:
    if args.type_.rpartition(":")[2] != kind:
        return None

    def kill(_: pulumi.ResourceHookArgs) -> None:
        watched = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        select.select([watched], [], [])  # until it is gone, and its connections with it
        os.close(watched)

    hooks = pulumi.ResourceHookBinding(**{f"before_{step}": [pulumi.ResourceHook("kill", kill)]})
    opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(hooks=hooks))
    return pulumi.ResourceTransformResult(props=args.props, opts=opts)


def _environment() -> dict[str, str]:
    exports = run("python3", "-m", "toolchain", "env").stdout.splitlines()
    words = [shlex.split(line)[1] for line in exports if line.startswith("export ")]
    return dict(word.split("=", 1) for word in words)

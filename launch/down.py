"""`bin/down`: delete what `bin/up` deployed, and with --all the cluster as well.

The model repository and the training output stay: they are the user's. Running it twice is fine.
"""

from __future__ import annotations

import argparse
import sys

from launch.commands import ROOT, run
from launch.own_parts import aim_at, cluster_is_running
from launch.stack import Stack, stack_of
from launch.steps import StepError, Steps, say


def main() -> int:
    arguments = _arguments()
    steps = Steps(total=2 if arguments.all else 1)
    aim_at(arguments.context)
    try:
        stack = Stack(name="local") if arguments.context is None else stack_of(arguments.context)
        with steps.step("destroy", f"Delete the resources of the stack {stack.name}"):
            _destroy(stack, cluster_is_ours=arguments.context is None)
        if arguments.all:
            with steps.step("cluster", "Stop the cluster and remove all that it made"):
                run([ROOT / "bin/cluster", "down"], otherwise="`bin/cluster status` says what is left")
    except StepError as error:
        say(f"bin/down stopped at {error}")
        return 1
    return 0


def _destroy(stack: Stack, *, cluster_is_ours: bool) -> None:
    if not stack.exists():
        say(f"    there is no stack {stack.name}")
        return
    if cluster_is_ours and not cluster_is_running():
        # The cluster is gone and took everything with it; without it a destroy would wait for an API server that never comes.
        say("    the cluster is not running: forgetting the resources that went with it")
        stack.forget()
        return
    stack.destroy()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/down", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--context", help="the existing cluster that bin/up was given")
    parser.add_argument(
        "--all", action="store_true", help="also stop the cluster, its registry and its image builder"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

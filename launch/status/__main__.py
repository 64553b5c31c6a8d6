"""`bin/status`: what the stack is doing: cluster, models, pods and why they are not ready, autoscaling, and what to do next.

Exit code 0 when all is well, 3 when something is not.
"""

from __future__ import annotations

import argparse
import json
import sys

from launch.own_parts import aim_at
from launch.stack import Stack, stack_of
from launch.status.reading import read_report
from launch.status.sources import OWN_CONTEXT, context_of, run

_NOT_WELL = 3


def main(arguments: list[str] | None = None) -> int:
    """Print the report; return the exit code."""
    options = _parser().parse_args(arguments)
    aim_at(options.context)
    stack = Stack(name="local") if options.context is None else stack_of(options.context)
    name = options.stack or stack.name
    context = options.context or (context_of(name, run) if options.stack else OWN_CONTEXT)
    report = read_report(name, None if context == OWN_CONTEXT else context, run)
    if options.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        from rich.console import Console

        from launch.status.screen import draw

        draw(report, Console(highlight=False))
    return 0 if report.is_well else _NOT_WELL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/status", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--context", help="kubeconfig context of an existing cluster, instead of the one made here"
    )
    parser.add_argument(
        "--stack", help="the stack, where it is not the one that bin/up makes for the cluster"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())

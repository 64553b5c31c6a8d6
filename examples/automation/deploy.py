"""Deploy a stack from Python, as a service or a pipeline would: judged first, applied, and shown to be done.

preview, with the policy pack -> up -> preview again: it must change nothing

eval "$(python3 -m toolchain env)"
python examples/automation/deploy.py --stack local --preview
python examples/automation/deploy.py --stack local --set autoscaling.maxReplicas=5
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pulumi import automation

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    arguments = parse_arguments()
    stack = automation.create_or_select_stack(stack_name=arguments.stack, work_dir=str(arguments.project))
    try:
        set_keys(stack, arguments.set)
        result = preview(stack) if arguments.preview else deploy(stack)
    except automation.CommandError as error:
        print(f"error: {reason(error)}", file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0


def preview(stack: automation.Stack) -> dict[str, Any]:
    """Return how many resources would be made, changed and removed. A broken rule of the policy pack is an error."""
    found = stack.preview(policy_packs=[str(ROOT / "policy")], on_output=show)
    changes = {str(operation): count for operation, count in found.change_summary.items()}
    return {"stack": stack.name, "changes": changes}


def deploy(stack: automation.Stack) -> dict[str, Any]:
    """Apply the stack, and return where its model answers."""
    preview(stack)
    outputs = stack.up(on_output=show, policy_packs=[str(ROOT / "policy")]).outputs
    # A program that declares the same again must change nothing: else something else owns a value that it sets.
    stack.preview(expect_no_changes=True)
    plain = {name: each.value for name, each in outputs.items() if not each.secret}
    return {
        "stack": stack.name,
        "rest_url": plain.get("rest_url"),
        "model_version": plain.get("model_version"),
    }


def set_keys(stack: automation.Stack, assignments: Sequence[str]) -> None:
    """Set configuration keys by path, as `pulumi config set --path` does."""
    for assignment in assignments:
        key, _, value = assignment.partition("=")
        stack.set_config(key, automation.ConfigValue(value=value), path=True)


def reason(error: automation.CommandError) -> str:
    """Return the first thing that Pulumi, a policy or the program had to say."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line.startswith(("error: ", "[mandatory]", "- [mandatory]"))]
    return said[0].removeprefix("error: ").lstrip("- ") if said else lines[-1]


def show(line: str) -> None:
    """Print Pulumi's progress, apart from the result."""
    print(line, file=sys.stderr, end="" if line.endswith("\n") else "\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Deploy a stack from Python.")
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument(
        "--project", type=Path, default=ROOT, metavar="DIR", help="folder of the project (default: this one)"
    )
    parser.add_argument("--preview", action="store_true", help="say what would change, and change nothing")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a key of the stack first; may be repeated",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

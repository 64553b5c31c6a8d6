"""`bin/up`: from a bare machine to a model that answers 1000 questions.

    setup -> cluster -> train -> deploy -> ask

Each step is a command that stands alone; a step whose result is there already takes seconds. The last line says the error rate, or
with --json is one object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from launch.commands import ROOT, read, run
from launch.own_parts import aim_at, ensure_builder
from launch.questions import Addresses, ask_both, forwarded
from launch.registry import pulled_bytes
from launch.stack import Stack, stack_for
from launch.steps import StepError, Steps, say

_TRAINING: Final = ROOT / "build/mnist"


def main() -> int:
    arguments = _arguments()
    aim_at(arguments.context)
    try:
        result = _up(arguments)
    except StepError as error:
        say(f"bin/up stopped at {error}")
        return 1
    if arguments.json:
        print(json.dumps(result))
    else:
        _print_summary(result)
    return 0


def _up(arguments: argparse.Namespace) -> dict[str, Any]:
    steps = Steps(total=5)
    stack = stack_for(arguments.context, arguments.registry)
    with steps.step("setup", "Set up the toolchain and the virtual environments"):
        scope = [] if arguments.context is None else ["--context", arguments.context]
        run([ROOT / "bin/setup", *scope], otherwise="the line above says what is missing")
        python = read([ROOT / "bin/setup", "--print-python"], otherwise="run bin/setup").strip()
    if arguments.context is None:
        with steps.step("cluster", "Start the one-node cluster, its registry and its image builder"):
            run([ROOT / "bin/cluster", "up"], otherwise="`bin/cluster status` says what runs")
    else:
        with steps.step("builder", "Find an image builder"):
            ensure_builder()
    with steps.step("train", "Train the model, unless a checkpoint is there"):
        _train(python)
    with steps.step("deploy", "Export the model, build and push its image, deploy it: pulumi up"):
        stack.select()
        stack.up()
    outputs = stack.outputs()
    with (
        steps.step("ask", "Ask the model about 1000 images that training never saw"),
        _addresses(arguments, outputs) as where,
    ):
        rates = ask_both(python, where, _TRAINING / "heldout.npz")
    return _result(stack, outputs, where, rates, steps)


def _train(python: str) -> None:
    if list(_TRAINING.glob("model.ckpt-*.index")):
        say(f"    {_TRAINING.relative_to(ROOT)} holds a checkpoint")
        return
    run(
        [python, ROOT / "examples/mnist/train.py", f"--output-dir={_TRAINING}"],
        otherwise=f"free the folder {_TRAINING.relative_to(ROOT)} and try again",
    )


@contextmanager
def _addresses(arguments: argparse.Namespace, outputs: dict[str, Any]) -> Iterator[Addresses]:
    if arguments.context is None:
        yield Addresses(rest_url=outputs["rest_url"], grpc_target=outputs["grpc_target"])
        return
    kubectl = [
        shutil.which("kubectl") or str(ROOT / "bin/cluster"),
        *([] if shutil.which("kubectl") else ["kubectl"]),
    ]
    kubectl += ["--context", arguments.context]
    with forwarded(kubectl, outputs["service"], outputs["namespace"]) as where:
        yield where


def _result(
    stack: Stack, outputs: dict[str, Any], where: Addresses, rates: dict[str, float], steps: Steps
) -> dict[str, Any]:
    training = json.loads((_TRAINING / "training.json").read_text(encoding="utf-8"))
    return {
        "stack": stack.name,
        "rest_url": where.rest_url,
        "grpc_target": where.grpc_target,
        "console_url": outputs.get("console_url"),
        "error_rate": max(rates.values()),
        "error_rates": rates,
        "training_accuracy": training["training_accuracy"],
        "image": outputs["image"],
        "image_bytes": pulled_bytes(outputs["image"]),
        "model_digest": outputs["model_digest"],
        "seconds": steps.seconds,
    }


def _print_summary(result: dict[str, Any]) -> None:
    rows = {
        "REST": f"{result['rest_url']}/v1/models/mnist:predict",
        "gRPC": result["grpc_target"],
        **({"console": result["console_url"]} if result["console_url"] else {}),
        "image": result["image"],
        "model": result["model_digest"],
        "seconds": ", ".join(f"{name} {seconds}" for name, seconds in result["seconds"].items()),
    }
    for name, value in rows.items():
        print(f"{name:<8} {value}")
    print(f"Inference error rate: {result['error_rate']:.1f}%")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/up", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--context", help="kubeconfig context of an existing cluster, instead of the one made here"
    )
    parser.add_argument(
        "--registry", help="registry that the existing cluster pulls from, such as registry.example.com/team"
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object on standard output")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

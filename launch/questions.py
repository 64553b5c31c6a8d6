"""Asking the served model: the example client, over gRPC and over REST, as a user would run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launch.commands import ROOT, follow
from launch.steps import StepError, say

_CLIENT: Final = ROOT / "examples/mnist/client.py"


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the model answers."""

    rest_url: str
    grpc_target: str


def ask_both(python: str, addresses: Addresses, examples: Path) -> dict[str, float]:
    """Ask 1000 held-out images over gRPC and over REST; return the error rate in percent by transport."""
    say("    1000 images over gRPC, then over REST")
    return {
        "grpc": _error_rate([python, _CLIENT, f"--server={addresses.grpc_target}", f"--examples={examples}"]),
        "rest": _error_rate([python, _CLIENT, f"--url={addresses.rest_url}", f"--examples={examples}"]),
    }


def _error_rate(words: list[str | Path]) -> float:
    answer = follow(
        [*words, "--json"],
        otherwise="see `bin/pulumi stack output` and the pod's log",
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},  # TensorFlow greets on every import
    )
    return float(json.loads(answer)["error_rate"])


@contextmanager
def forwarded(kubectl: list[str], service: str, namespace: str) -> Iterator[Addresses]:
    """Forward the Service's two ports to free ports of 127.0.0.1, for a cluster whose nodes are not this machine."""
    words = [*kubectl, "--namespace", namespace, "port-forward", f"service/{service}", ":8501", ":8500"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            rest, grpc = _local_port(process, 8501), _local_port(process, 8500)
            yield Addresses(rest_url=f"http://127.0.0.1:{rest}", grpc_target=f"127.0.0.1:{grpc}")
        finally:
            process.terminate()


def _local_port(process: subprocess.Popen[str], remote: int) -> int:
    assert process.stdout is not None  # opened with a pipe above
    for line in process.stdout:
        if found := re.match(rf"Forwarding from 127\.0\.0\.1:(\d+) -> {remote}$", line.strip()):
            return int(found[1])
    message = f"`kubectl port-forward` ended before port {remote} was open; is the Service's pod Ready?"
    raise StepError(message)

"""Measures every combination and chooses one."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model_export.errors import VerificationError
from model_export.steps import NOBODY, Watcher

ONEDNN: Final = ("off", "on")
_PACKAGE_ROOT: Final = Path(__file__).resolve().parent.parent.parent
TIME_LIMIT_SECONDS: Final = 600
Latencies = Mapping[str, float]
"""Batch size (as JSON spells it) -> milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What was chosen, and what it was chosen from."""

    backend_profile: str
    """`single_thread` or `thread_pool`, as the server's flag spells it."""
    onednn: str
    """`on` or `off`, likewise."""
    latency_ms: Mapping[str, Latencies]
    """`profile/onednn` -> batch size -> best time of several."""
    cpu_count: int


def tune(folder: Path, *, watcher: Watcher = NOBODY) -> Tuning:
    """Measure the servable in `folder` with its own warm-up requests. Raises VerificationError when it cannot be run."""
    measured: dict[str, Latencies] = {}
    for count, onednn in enumerate(ONEDNN):  # a setting of the process: each value needs a process of its own
        measured |= {f"{profile}/{onednn}": times for profile, times in _measure(folder, onednn).items()}
        watcher.advance(count + 1, len(ONEDNN))
    profile, _, onednn = choose(measured).partition("/")
    return Tuning(backend_profile=profile, onednn=onednn, latency_ms=measured, cpu_count=os.cpu_count() or 1)


def choose(measured: Mapping[str, Latencies]) -> str:
    """Return the combination with the least geometric mean of times: every batch size counts alike."""
    means = {
        name: math.exp(sum(math.log(time) for time in times.values()) / len(times))
        for name, times in measured.items()
    }
    return min(sorted(means), key=means.__getitem__)


def _measure(folder: Path, onednn: str) -> dict[str, Latencies]:
    environment = {
        **os.environ,
        "TF_ENABLE_ONEDNN_OPTS": "1" if onednn == "on" else "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    words = [sys.executable, "-m", "model_export.tuning.measurement", str(folder)]
    done = subprocess.run(
        words,
        env=environment,
        cwd=_PACKAGE_ROOT,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        message = f"expected the servable to run with oneDNN {onednn}, received {last}; export without --tune"
        raise VerificationError(message)
    times: dict[str, Latencies] = json.loads(done.stdout.splitlines()[-1])
    return times

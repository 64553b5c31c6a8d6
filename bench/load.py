"""Closed loads: so many connections, each asking again as soon as it is answered. wrk for REST, h2load for gRPC.

Both are written in C and take less of their core than any Python server takes of its own. h2load counts an HTTP status
200 as success, and a failed gRPC call has one, too: good answers are therefore counted by their bytes.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.errors import LoadFailed

ROTATE = Path(__file__).with_name("rotate.lua")
SPARE_SECONDS = 30
LEAST_REQUESTS = 200
FRAME_HEAD_BYTES = 5


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How a load was answered."""

    good: int
    bad: int
    seconds: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0

    def check(self) -> None:
        """Raises LoadFailed unless nearly all was answered well: shedding must not look like speed."""
        if self.good < 100 * self.bad or self.good == 0:
            raise LoadFailed(f"expected at most 1 % failures, got {self.bad} beside {self.good} good answers")


def ask_rest(
    port: int, path: str, bodies: Path, *, connections: int, seconds: int, max_requests: int, core: int
) -> Tally:
    """wrk, one thread; the bodies in turn. Raises LoadFailed when it ends with an error."""
    command = [
        "wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=5s",
        f"--script={ROTATE}", f"http://127.0.0.1:{port}",
    ]  # fmt: skip
    env = {"BODIES": str(bodies), "TARGET": path, "MAX_REQUESTS": str(max_requests)}
    return parse_wrk(_output(command, core=core, env=env, timeout_seconds=seconds + SPARE_SECONDS))


def parse_wrk(output: str) -> Tally:
    """The line that rotate.lua prints when all is done."""
    found = re.search(r"^RESULT (\{.*\})$", output, flags=re.MULTILINE)
    if not found:
        raise LoadFailed(f"expected a RESULT line of wrk, got: {output.strip()[-300:]}")
    result = json.loads(found[1])
    return Tally(
        good=result["answers"] - result["refused"],
        bad=result["refused"] + result["lost"],
        seconds=result["seconds"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
    )


def ask_grpc(
    port: int, path: str, framed: Path, *, answer_bytes: int, connections: int, streams: int, requests: int,
    timeout_seconds: float, core: int,
) -> Tally:  # fmt: skip
    """h2load, one thread; one message again and again. Raises LoadFailed when it fails or takes too long."""
    command = [
        "h2load", f"--clients={connections}", f"--max-concurrent-streams={streams}", f"--requests={requests}",
        f"--data={framed}", "--header=content-type: application/grpc", "--header=te: trailers",
        f"http://127.0.0.1:{port}{path}",
    ]  # fmt: skip
    return parse_h2load(_output(command, core=core, env={}, timeout_seconds=timeout_seconds), answer_bytes)


def parse_h2load(output: str, answer_bytes: int) -> Tally:
    """h2load's summary, where each good answer brought `answer_bytes` in one gRPC frame."""
    requests = re.search(r"^requests: (\d+) total", output, flags=re.MULTILINE)
    data = re.search(r"^traffic: .*?\((\d+)\) data$", output, flags=re.MULTILINE)
    finished = re.search(r"^finished in ([\d.]+)(us|ms|s)", output, flags=re.MULTILINE)
    if not (requests and data and finished):
        raise LoadFailed(f"expected the summary of h2load, got: {output.strip()[-300:]}")
    good = int(data[1]) // (FRAME_HEAD_BYTES + answer_bytes)
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1.0}[finished[2]]
    return Tally(good=good, bad=int(requests[1]) - good, seconds=float(finished[1]) * unit)


def request_count(trial: Tally, *, seconds: float, max_requests: int) -> int:
    """How many requests last about `seconds` at the pace of a first trial, never more than the limit."""
    pace = trial.good / trial.seconds if trial.seconds else 0
    return min(max_requests, max(LEAST_REQUESTS, round(pace * seconds)))


def _output(command: list[str], *, core: int, env: dict[str, str], timeout_seconds: float) -> str:
    pinned = ["taskset", "--cpu-list", str(core), *command]
    try:
        outcome = subprocess.run(
            pinned, env=os.environ | env, capture_output=True, text=True, timeout=timeout_seconds
        )
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"expected {command[0]} to end within {timeout_seconds:g} s, it did not") from None
    if outcome.returncode:
        raise LoadFailed(f"{command[0]} ended with {outcome.returncode}: {outcome.stderr.strip()[-300:]}")
    return outcome.stdout

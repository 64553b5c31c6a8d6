"""What is done in a trial: which server, which load, and the figures that come out."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from bench import cpu, load, servers
from bench.environments import Environments
from bench.errors import LoadFailed
from bench.figures import Figures, cpu_us_per_answer
from bench.models import Models
from bench.processes import Cores, Running
from bench.servers import PEERS, Ports, Server
from toolchain.folders import CHECKOUT


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything a load needs to know; `running` and `ports` are of the server under test."""

    server: Server
    running: Running
    ports: Ports
    models: Models
    cores: Cores
    seconds: int
    shared: dict[str, float]
    """What one trial of a round leaves for the next."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What a calculation without a server needs to know."""

    environments: Environments
    models: Models
    cores: Cores
    seconds: int


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A load on a server, or a calculation without one."""

    name: str
    server: Server | None = None
    load: Callable[[Stage], Figures] | None = None
    calculation: Callable[[Workshop], Figures] | None = None


MAX_REQUESTS = 500_000
WARM_SECONDS = 1
FIRST_REQUESTS = 300
MIXED_SECONDS_FACTOR = 4
"""A queue needs more time than a rate: a large task takes some 30 ms, and its p99 some hundred of them."""


def rest(connections: int) -> Callable[[Stage], Figures]:
    """The closed load of wrk: `cpu_us`, `p50_ms`, `p99_ms`, `per_second`."""

    def measure(stage: Stage) -> Figures:
        door = stage.server.rest
        assert door is not None

        def ask(seconds: int) -> load.Tally:
            return load.ask_rest(
                stage.ports.rest, door.path, stage.models.bodies(door.bodies), connections=connections,
                seconds=seconds, max_requests=MAX_REQUESTS, core=stage.cores.client,
            )  # fmt: skip

        ask(WARM_SECONDS)
        return _with_cpu(stage, lambda: ask(stage.seconds))

    return measure


def grpc(connections: int, streams: int) -> Callable[[Stage], Figures]:
    """The closed load of h2load: `cpu_us`, `per_second`."""

    def measure(stage: Stage) -> Figures:
        door = stage.server.grpc
        assert door is not None
        answer = door.ask(stage.ports.grpc, stage.models)

        def ask(requests: int) -> load.Tally:
            return load.ask_grpc(
                stage.ports.grpc, "/tensorflow.serving.PredictionService/Predict",
                stage.models.framed(door.model), answer_bytes=len(answer), connections=connections, streams=streams,
                requests=requests, timeout_seconds=stage.seconds + load.SPARE_SECONDS, core=stage.cores.client,
            )  # fmt: skip

        first = ask(FIRST_REQUESTS)
        warm = ask(load.request_count(first, seconds=WARM_SECONDS, max_requests=MAX_REQUESTS))
        count = load.request_count(warm, seconds=stage.seconds, max_requests=MAX_REQUESTS)
        return _with_cpu(stage, lambda: ask(count))

    return measure


def _with_cpu(stage: Stage, ask: Callable[[], load.Tally]) -> Figures:
    before = cpu.seconds_used(stage.running.pid)
    tally = ask()
    used = cpu.seconds_used(stage.running.pid) - before
    tally.check()
    return {
        "cpu_us": cpu_us_per_answer(used, tally.good),
        "per_second": tally.good / tally.seconds,
        "p50_ms": tally.p50_ms,
        "p99_ms": tally.p99_ms,
    }


def first_answer(stage: Stage) -> Figures:
    """`seconds` from the start of the process to its first right answer."""
    return {"seconds": stage.running.seconds_to_first_answer}


def mixed(stage: Stage) -> Figures:
    """The open load of `bench.mixed` at 80 % of what the first server of the round could do."""
    if "rate" not in stage.shared:
        stage.shared["rate"] = 0.8 * _mix(stage, stage.seconds)["answers_per_second"]
    figures = _mix(stage, stage.seconds * MIXED_SECONDS_FACTOR, f"--rate={stage.shared['rate']}")
    answered = figures["small_answers"] + figures["large_answers"]
    load.Tally(good=int(answered), bad=int(figures["failures"]), seconds=1).check()
    return figures | {"rate": stage.shared["rate"]}


def _mix(stage: Stage, seconds: int, *more: str) -> dict[str, float]:
    model = stage.server.grpc.model if stage.server.grpc else ""
    folder = stage.models.folder
    command = [
        "taskset", "--cpu-list", str(stage.cores.client), sys.executable, "-m", "bench.mixed",
        f"--port={stage.ports.grpc}", f"--small={folder / model}.message", f"--large={folder / model}-large.message",
        f"--seconds={seconds}", *more,
    ]  # fmt: skip
    return _json_of(command, timeout_seconds=seconds + 3 * load.SPARE_SECONDS)


def bare_tensorflow(workshop: Workshop) -> Figures:
    """`cpu_us` of one image of the convolutional model at batch 32, with no server around it."""
    command = [
        "taskset", "--cpu-list", str(workshop.cores.server), str(workshop.environments.python("bench-grpc")),
        str(PEERS / "bare_tensorflow.py"), str(workshop.models.version_folder("cnn")),
        str(workshop.models.folder / "images.npy"), str(workshop.seconds),
    ]  # fmt: skip
    return _json_of(command, timeout_seconds=workshop.seconds + 2 * load.SPARE_SECONDS)


def _json_of(command: list[str], *, timeout_seconds: float) -> dict[str, float]:
    try:
        outcome = subprocess.run(
            command, cwd=CHECKOUT, capture_output=True, text=True, timeout=timeout_seconds,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"expected {command[4:6]} to end within {timeout_seconds:g} s, it did not") from None
    if outcome.returncode:
        raise LoadFailed(f"{command[4:6]} ended with {outcome.returncode}: {outcome.stderr.strip()[-300:]}")
    result: dict[str, float] = json.loads(outcome.stdout.splitlines()[-1])
    return result


_SIXTY_FOUR = rest(connections=64)
_EIGHT_BY_EIGHT = grpc(connections=8, streams=8)

# Peers next to ours: the order is the order in time, and every round goes through it once.
ALL: tuple[Trial, ...] = (
    Trial(name="fastapi", server=servers.FASTAPI, load=_SIXTY_FOUR),
    Trial(name="fastapi_one", server=servers.FASTAPI, load=rest(connections=1)),
    Trial(name="rest", server=servers.OURS_UNCACHED, load=_SIXTY_FOUR),
    Trial(name="rest_one", server=servers.OURS_UNCACHED, load=rest(connections=1)),
    Trial(name="grpc", server=servers.OURS_UNCACHED, load=_EIGHT_BY_EIGHT),
    Trial(name="grpc_aio", server=servers.GRPC_AIO, load=_EIGHT_BY_EIGHT),
    Trial(name="grpc_sync", server=servers.GRPC_SYNC, load=_EIGHT_BY_EIGHT),
    Trial(name="mlserver", server=servers.MLSERVER, load=_SIXTY_FOUR),
    Trial(name="litserve", server=servers.LITSERVE, load=_SIXTY_FOUR),
    Trial(name="bentoml", server=servers.BENTOML, load=_SIXTY_FOUR),
    Trial(name="nginx", server=servers.NGINX, load=_SIXTY_FOUR),
    Trial(name="rest_cached", server=servers.OURS_CACHED, load=_SIXTY_FOUR),
    Trial(name="cnn_bare", calculation=bare_tensorflow),
    Trial(name="cnn_rest", server=servers.OURS_CNN, load=_SIXTY_FOUR),
    Trial(name="cnn_grpc", server=servers.OURS_CNN, load=_EIGHT_BY_EIGHT),
    Trial(name="queue_fifo", server=servers.OURS_FIFO, load=mixed),
    Trial(name="queue_heap", server=servers.OURS_HEAP, load=mixed),
    Trial(name="start", server=servers.OURS_CONTAINER, load=first_answer),
    Trial(name="proxy_fastapi", server=servers.PROXY_FASTAPI, load=_SIXTY_FOUR),
    Trial(name="proxy_rest", server=servers.PROXY_OURS, load=_SIXTY_FOUR),
    Trial(name="proxy_aio", server=servers.PROXY_AIO, load=_EIGHT_BY_EIGHT),
    Trial(name="proxy_grpc", server=servers.PROXY_OURS, load=_EIGHT_BY_EIGHT),
)

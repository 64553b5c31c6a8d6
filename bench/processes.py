"""Starting a server on its core, waiting for its first right answer, and ending it with everything it started.

The server has one core and the clients have another, so that neither takes the other's time; a server with several
processes gets the same one core.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import cpu
from bench.errors import MissingTool, ServerFailed

POLL_SECONDS = 0.01
TERM_SECONDS = 8.0
PRIORITY = -10


@dataclass(frozen=True, kw_only=True)
class Cores:
    """Where who runs."""

    server: int
    client: int


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A start line."""

    command: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that has given a right answer."""

    pid: int
    seconds_to_first_answer: float


def choose_cores() -> Cores:
    """The first two cores that this process may use. Raises MissingTool when there is one only."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        raise MissingTool(
            f"the bench needs two cores, one for the server and one for the clients; got {available}"
        )
    return Cores(server=available[0], client=available[1])


def claim_priority() -> None:
    """Go before other work of the machine where that is allowed (root): their time slices are not our latency.

    Whatever is started from here on inherits it, peers as well as ours.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on right now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def running(
    name: str, launch: Launch, *, core: int, is_right: Callable[[], bool], patience_seconds: float = 120
) -> Iterator[Running]:
    """Start a server pinned to `core`, hand it over once `is_right` says so, end it afterwards.

    Raises ServerFailed, with the end of its log, when it ends by itself or is not right in time.
    """
    launch.folder.mkdir(parents=True, exist_ok=True)
    log = launch.folder / f"{name}.log"
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), *launch.command], cwd=launch.folder, env=os.environ | dict(launch.env),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        while not is_right():
            if process.poll() is not None:
                raise ServerFailed(f"{name} ended with exit code {process.returncode}: {_tail(log)}")
            if time.perf_counter() - began > patience_seconds:
                raise ServerFailed(f"{name} gave no right answer within {patience_seconds:g} s: {_tail(log)}")
            time.sleep(POLL_SECONDS)
        yield Running(pid=process.pid, seconds_to_first_answer=time.perf_counter() - began)
        if process.poll() is not None:
            raise ServerFailed(f"{name} ended under load with exit code {process.returncode}: {_tail(log)}")
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, some seconds, then SIGKILL for what is left of its family."""
    members = cpu.family(process.pid, cpu.read_table())
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(TERM_SECONDS)
    for pid in members & cpu.read_table().keys():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return " | ".join(lines[-3:])[-500:] or "it printed nothing"

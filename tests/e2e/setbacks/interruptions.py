"""An update in a process of its own, cut off at a line of its output, and an API server that is taken away under it."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import ROOT, run
from tests.e2e.setbacks.conftest import deployment


def other_timeout(seconds: int = 6) -> Any:
    """Return a change of the settings that makes another pod: another environment, another grace period."""

    def change(sections: dict[str, Any]) -> None:
        sections["server"]["requestTimeoutSeconds"] = seconds

    return change


def request_timeout_seconds() -> int:
    """Return the longest request that the Deployment's grace period has room for, beside sleep, drain and margin."""
    return int(deployment()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]) - 5 - 3 - 5


@contextmanager
def pulumi_command(verb: str, stack: str) -> Iterator[subprocess.Popen[str]]:
    """Start `up` or `destroy` in a session of its own, and leave none of it behind."""
    process = subprocess.Popen(
        [ROOT / "bin/pulumi", verb, "--yes", "--skip-preview", "--color=never", "--stack", stack],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_session(process.pid)
        process.wait()
        assert process.stdout
        process.stdout.close()


def kill_session(leader: int) -> None:
    """Kill all that a session leader started: Pulumi gives each plugin a process group of its own."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            session = int(stat.read_text().rpartition(")")[2].split()[3])  # proc(5): the sixth field
            if session == leader:
                os.kill(int(stat.parent.name), signal.SIGKILL)


def wait_for(line: str, process: subprocess.Popen[str]) -> None:
    """Read what a command says until this line, which is part of it."""
    assert process.stdout
    seen = []
    for each in process.stdout:
        seen.append(each)
        if line in each:
            return
    pytest.fail(f"the command ended without saying {line!r}:\n{''.join(seen)}")


def api_server() -> int:
    """Return the process id of the API server."""
    return process_of("apiserver")


def process_of(component: str) -> int:
    """Return the process id of a part of the cluster, by its name in `bin/cluster status`."""
    status = json.loads(run("bin/cluster", "status", "--json").stdout.splitlines()[-1])
    return int(status["components"][component]["pid"])

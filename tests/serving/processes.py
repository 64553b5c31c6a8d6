"""A real server process for a test to ask, and to end."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


class Process:
    """`python -m serving` on free ports of the loopback."""

    def __init__(self, *flags: str, env: dict[str, str] | None = None) -> None:
        self.grpc_port, self.rest_port = free_port(), free_port()
        line = [f"--port={self.grpc_port}", f"--rest_api_port={self.rest_port}", "--listen_address=127.0.0.1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "serving", *line, *flags],
            cwd=REPOSITORY,
            env=os.environ | (env or {}),
            stderr=subprocess.PIPE,
            text=True,
        )

    def get(self, path: str, body: Any = None) -> tuple[int, bytes]:
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.rest_port}{path}", data, timeout=30
            ) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def wait_until_ready(self) -> None:
        while self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.get("/readyz")[0] == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"the server ended with {self.process.returncode}: {self.log()}")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def log(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()


@contextlib.contextmanager
def serving(*flags: str, env: dict[str, str] | None = None) -> Iterator[Process]:
    """A server that is ready; killed at the end if the test did not end it."""
    process = Process(*flags, env=env)
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.process.kill()
        process.process.wait()
        if process.process.stderr is not None:
            process.process.stderr.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

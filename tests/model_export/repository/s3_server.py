"""A real S3 server on this machine: versitygw from the toolchain, with a folder behind it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from toolchain import binaries, folders

ACCESS, SECRET, BUCKET = "tests", "tests-secret", "models"


def executable() -> str:
    """Return the server's program: `$VERSITYGW`, what `bin/setup` built, or `versitygw` on the path."""
    built = [
        str(binaries.location(each, folders.locate())) for each in binaries.ALL if each.name == "versitygw"
    ]
    found = [
        each
        for each in (os.environ.get("VERSITYGW"), *built, shutil.which("versitygw"))
        if each and Path(each).exists()
    ]
    assert found, "the S3 tests need versitygw: run bin/setup, or point VERSITYGW at the program"
    return found[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class S3Server:
    """One server that can be killed and started again on the same port, over the same objects."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        (self.folder / BUCKET).mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [executable(), "--port", f"{self.host}:{self.port}", "--quiet", "posix", str(self.folder)],
            env={"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET, "HOME": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._await_port()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def _await_port(self) -> None:
        assert self.process is not None
        while True:  # bounded by the test's own time limit
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            with suppress(subprocess.TimeoutExpired):
                code = self.process.wait(timeout=0.02)
                raise AssertionError(f"the S3 server ended at its start with {code}")


def once(action: Callable[[], object]) -> Callable[[], None]:
    """Return a function that acts on its first call only."""
    calls: list[object] = []

    def act() -> None:
        if not calls:
            calls.append(action())

    return act

"""Controllers of other projects, as processes beside the cluster: they are its clients, and need no pods for that."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import run
from tests.e2e.ecosystem.declared import Object
from toolchain import binaries
from toolchain import definitions as sources
from toolchain.cluster.layout import Layout, choose_root
from toolchain.folders import locate

PATIENCE_SECONDS = 300


@contextmanager
def defined(*projects: str) -> Iterator[None]:
    """Give the cluster all definitions of some projects for a while."""
    folder = sources.location(locate())
    files = [f"--filename={folder / project}" for project in projects]
    try:
        run("bin/cluster", "kubectl", "apply", "--server-side", *files)
        run("bin/cluster", "kubectl", "wait", "--for=condition=Established", "--timeout=120s", *files)
        yield
    finally:
        run("bin/cluster", "kubectl", "delete", "--ignore-not-found", "--timeout=120s", *files, check=False)


@contextmanager
def controller(
    name: str, log: Path, *flags: str, within: tuple[str, ...] = (), **environment: str
) -> Iterator[None]:
    """Run a controller as the administrator of the local cluster, and end it; `within` is a command that becomes it."""
    binary = binaries.location(binaries.named(name), locate())
    assert binary.exists(), f"{name} is not there; build it with `bin/setup --controllers`"
    kubeconfig = str(Layout(root=choose_root(locate().cluster)).kubeconfig())
    words = (*within, str(binary), *flags)
    with running(*words, log=log, KUBECONFIG=kubeconfig, **environment):
        yield


@contextmanager
def running(*words: str, log: Path, **environment: str) -> Iterator[None]:
    """Run a program that must not end by itself, and end it."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            words, env={**os.environ, **environment}, stdout=file, stderr=file, cwd=log.parent
        )
    try:
        yield
        assert process.poll() is None, f"{words} ended by itself:\n{log.read_text()[-3000:]}"
    finally:
        process.terminate()
        process.wait(60)


def program(name: str) -> str:
    """Return a program that Debian has."""
    found = shutil.which(name)
    assert found, f"{name} is not there; install Debian's package of that name"
    return found


@contextmanager
def made(folder: Path, *objects: Object) -> Iterator[None]:
    """Make objects, and take them away in the other order."""
    file = folder / "made.json"
    file.write_text(json_list(objects))
    backwards = folder / "backwards.json"
    backwards.write_text(json_list(objects[::-1]))
    try:
        run("bin/cluster", "kubectl", "apply", f"--filename={file}")
        yield
    finally:
        words = ["delete", "--ignore-not-found", "--timeout=120s", f"--filename={backwards}"]
        run("bin/cluster", "kubectl", *words, check=False)


def wait_until(question: Callable[[], bool], what: str) -> None:
    """Ask until the answer is yes: a controller tells nobody when it has looked."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not question():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE_SECONDS} s: {what}")
        time.sleep(0.5)


def json_list(objects: Any) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})

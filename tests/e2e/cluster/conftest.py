"""The local cluster, asked through its own commands as a user would."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from toolchain.folders import CHECKOUT

BASE_IMAGE = "127.0.0.1:5000/tf-serving-platform/debian:bookworm"
PATIENCE_SECONDS = 90.0


class Cluster:
    """`bin/cluster`, with the namespace of one test."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def command(self, *words: str, check: bool = True) -> str:
        done = subprocess.run([CHECKOUT / "bin/cluster", *words], capture_output=True, text=True)
        if check and done.returncode != 0:
            pytest.fail(
                f"bin/cluster {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def kubectl(self, *words: str, check: bool = True) -> str:
        return self.command("kubectl", "--namespace", self.namespace, *words, check=check)

    def run_pod(self, name: str, *command: str, gpus: int = 0) -> None:
        container: dict[str, Any] = {"name": "main", "image": BASE_IMAGE, "command": list(command)}
        if gpus:
            container["resources"] = {"limits": {"nvidia.com/gpu": str(gpus)}}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": self.namespace, "labels": {"app": name}},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]},
        }
        self.apply(pod)

    def apply(self, manifest: dict[str, Any]) -> None:
        done = subprocess.run(
            [CHECKOUT / "bin/cluster", "kubectl", "apply", "--filename=-"],
            input=json.dumps(manifest),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "--output=json"))

    def wait_for(self, condition: str, name: str) -> None:
        self.kubectl("wait", f"--for={condition}", f"pod/{name}", f"--timeout={PATIENCE_SECONDS:.0f}s")


def eventually(question: Callable[[], bool]) -> bool:
    """Ask until the answer is yes or patience ends: the cluster tells nobody when it has caught up."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


@pytest.fixture(scope="session")
def running() -> None:
    done = subprocess.run([CHECKOUT / "bin/cluster", "up"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def cluster(running: None) -> Iterator[Cluster]:
    """A namespace of its own on the running cluster, gone afterwards."""
    names = Cluster("default")
    name = f"e2e-{time.monotonic_ns():x}"
    names.kubectl("create", "namespace", name)
    yield Cluster(name)
    names.kubectl("delete", "namespace", name, "--wait=false")

"""What is left when the cluster dies, and what `up` and `down` make of it. Runs last: it ends with no cluster."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster.conftest import BASE_IMAGE
from toolchain import folders
from toolchain.cluster.layout import BRIDGE, CONTROL_GROUP, choose_root
from toolchain.folders import CHECKOUT

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

ROOT = choose_root(folders.locate().cluster)


def bin_cluster(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([CHECKOUT / "bin/cluster", *words], capture_output=True, text=True)
    if check and done.returncode != 0:
        pytest.fail(
            f"bin/cluster {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done


def report(*words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(bin_cluster(*words, "--json", check=False).stdout.splitlines()[-1])
    return answer


def kill_everything() -> None:
    """What a machine that stops does to processes."""
    for each in report("status")["components"].values():
        os.kill(each["pid"], signal.SIGKILL)


def traces() -> dict[str, list[str]]:
    """Everything of ours that a look at the machine finds."""
    rules = [
        line
        for family in ("iptables-save", "ip6tables-save")
        for line in subprocess.run([family], capture_output=True, text=True).stdout.splitlines()
        if "KUBE-" in line or "CNI-" in line
    ]
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    found = {
        "rules": rules,
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(ROOT) in line],
        "links": [str(path) for path in Path("/sys/class/net").glob(BRIDGE)],
        "groups": [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/{CONTROL_GROUP}")],
        "processes": [command.decode() for command in commands if str(ROOT).encode() in command],
        "files": [str(path) for path in (ROOT, Path("/var/lib/kubelet")) if path.exists()],
    }
    return {kind: those for kind, those in found.items() if those}


@pytest.fixture(scope="module", autouse=True)
def running() -> None:
    bin_cluster("up")


def test_a_dead_component_is_started_again_and_the_others_are_left_alone() -> None:
    before = report("status")["components"]
    os.kill(before["scheduler"]["pid"], signal.SIGKILL)
    assert not report("status")["running"]
    after = report("up")["components"]
    changed = {name for name in before if before[name]["pid"] != after[name]["pid"]}
    assert changed == {"scheduler"}


def test_another_number_of_gpus_takes_effect_without_a_new_cluster() -> None:
    assert report("up", "--gpus", "3")["gpus"] == 3
    assert report("up", "--gpus", "2")["running"]


def test_after_the_machine_stopped_up_brings_back_what_was_stored() -> None:
    bin_cluster("kubectl", "create", "configmap", "kept", "--from-literal=a=b")
    kill_everything()
    assert report("up")["running"]
    assert "kept" in bin_cluster("kubectl", "get", "configmap", "kept").stdout
    bin_cluster("kubectl", "delete", "configmap", "kept")


def test_after_a_kill_down_leaves_nothing_and_can_be_repeated() -> None:
    # A pod with a volume and an address of its own: mounts, a network namespace, packet filter rules, a supervisor.
    bin_cluster(
        "kubectl", "run", "orphan", f"--image={BASE_IMAGE}", "--command", "--", "python3", "-m", "http.server"
    )
    bin_cluster("kubectl", "wait", "--for=condition=Ready", "pod/orphan", "--timeout=60s")
    kill_everything()
    assert {"rules", "mounts", "links", "groups", "processes", "files"} == set(traces())
    bin_cluster("down")
    assert traces() == {}
    bin_cluster("down")
    assert bin_cluster("status", check=False).returncode == 3


def test_a_taken_port_is_named_with_its_owner_and_nothing_is_made() -> None:
    bin_cluster("down")
    with socket.create_server(("127.0.0.1", 6443)):
        refused = bin_cluster("up", check=False)
    assert refused.returncode == 1
    assert (
        f"port 6443 is needed for the Kubernetes API server and is taken by pid {os.getpid()}"
        in refused.stderr
    )
    assert traces() == {}


def test_after_down_from_running_nothing_is_left() -> None:
    bin_cluster("up")
    bin_cluster("down")
    assert traces() == {}

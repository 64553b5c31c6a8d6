"""The one node does what a node of any cluster does."""

import json
import re
import socket
import subprocess
import urllib.request

import pytest

from tests.e2e.cluster.conftest import Cluster, eventually
from toolchain.cluster.layout import NODE
from toolchain.folders import CHECKOUT

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

SERVE = ("/usr/bin/tini", "--", "python3", "-u", "-m", "http.server", "8080")


def fetch(url: str) -> int:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2) as answer:
            return int(answer.status)
    except OSError:
        return 0


def test_the_node_is_ready_and_advertises_its_gpus(cluster: Cluster) -> None:
    report = json.loads(cluster.command("status", "--json"))
    assert report["running"]
    assert cluster.get("node", NODE)["status"]["allocatable"]["nvidia.com/gpu"] == str(report["gpus"])


def test_up_on_a_running_cluster_restarts_nothing(cluster: Cluster) -> None:
    before = json.loads(cluster.command("status", "--json"))
    after = json.loads(cluster.command("up", "--json", "--gpus", str(before["gpus"])).splitlines()[-1])
    pids = {name: each["pid"] for name, each in before["components"].items()}
    assert {name: each["pid"] for name, each in after["components"].items()} == pids


def test_a_client_that_watches_from_version_0_is_told_what_there_is(cluster: Cluster) -> None:
    query = "watch=1&resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=5"
    news = [
        json.loads(line) for line in cluster.kubectl("get", "--raw", f"/api/v1/nodes?{query}").splitlines()
    ]
    assert ("ADDED", NODE) in [(each["type"], each["object"]["metadata"].get("name")) for each in news]


def test_a_pod_is_reached_by_logs_exec_and_port_forward(cluster: Cluster) -> None:
    cluster.run_pod("web", *SERVE)
    cluster.wait_for("condition=Ready", "web")
    assert cluster.kubectl("exec", "web", "--", "python3", "-c", "print(6 * 7)").strip() == "42"
    assert eventually(lambda: "Serving HTTP" in cluster.kubectl("logs", "web"))
    words = [
        CHECKOUT / "bin/cluster",
        "kubectl",
        "--namespace",
        cluster.namespace,
        "port-forward",
        "web",
        ":8080",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())
        assert found
        assert fetch(f"http://127.0.0.1:{found[1]}/") == 200
        forward.terminate()


def test_pods_find_services_and_the_api_by_name(cluster: Cluster) -> None:
    program = "import socket; print(socket.gethostbyname('kubernetes.default.svc.cluster.local'))"
    cluster.run_pod("asks", "python3", "-c", program)
    cluster.wait_for("jsonpath={.status.phase}=Succeeded", "asks")
    assert cluster.kubectl("logs", "asks").strip() == "10.96.0.1"


def test_a_node_port_answers_on_loopback(cluster: Cluster) -> None:
    cluster.run_pod("web", *SERVE)
    ports = [{"port": 80, "targetPort": 8080}]
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": cluster.namespace},
            "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": ports},
        }
    )
    cluster.wait_for("condition=Ready", "web")
    port = cluster.get("service", "web")["spec"]["ports"][0]["nodePort"]
    assert eventually(lambda: fetch(f"http://127.0.0.1:{port}/") == 200)


def test_metrics_of_nodes_and_pods_are_served(cluster: Cluster) -> None:
    cluster.run_pod("web", *SERVE)
    cluster.wait_for("condition=Ready", "web")
    assert eventually(lambda: NODE in cluster.kubectl("top", "node", check=False))
    assert eventually(lambda: "web" in cluster.kubectl("top", "pod", check=False))


def test_a_pod_gets_the_gpus_it_asks_for_and_no_more_than_there_are(cluster: Cluster) -> None:
    gpus = json.loads(cluster.command("status", "--json"))["gpus"]
    cluster.run_pod("fits", "python3", "-c", "import os; print(os.environ['NVIDIA_VISIBLE_DEVICES'])", gpus=1)
    cluster.run_pod("greedy", *SERVE, gpus=gpus + 1)
    cluster.wait_for("jsonpath={.status.phase}=Succeeded", "fits")
    assert cluster.kubectl("logs", "fits").strip()
    cluster.kubectl("wait", "--for=condition=PodScheduled=false", "pod/greedy", "--timeout=60s")
    (scheduled,) = cluster.get("pod", "greedy")["status"]["conditions"]
    assert "Insufficient nvidia.com/gpu" in scheduled["message"]


def test_access_is_decided_by_roles(cluster: Cluster) -> None:
    subject = f"system:serviceaccount:{cluster.namespace}:default"
    assert cluster.kubectl("auth", "can-i", "get", "secrets", f"--as={subject}", check=False).strip() == "no"
    assert cluster.kubectl("auth", "can-i", "get", "secrets").strip() == "yes"


def test_the_registry_serves_this_machine_only(cluster: Cluster) -> None:
    assert fetch("http://127.0.0.1:5000/v2/") == 200
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        route.connect(("192.0.2.1", 9))  # sends nothing; asks the kernel which address would be used
        outside = route.getsockname()[0]
    assert cluster is not None
    assert outside.startswith("127.") or fetch(f"http://{outside}:5000/v2/") == 0

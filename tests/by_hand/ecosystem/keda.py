"""A stack that KEDA scales by what Prometheus read of its pods: taken over from our own autoscaler, scaled under load, and given back."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from tests.by_hand.ecosystem.controllers import controller, defined, made, program, running, wait_until
from tests.e2e.commands import ROOT, deployment_generations, kubectl, run
from tests.e2e.settings import another_stack, changed, up
from tests.serving.processes import free_port
from toolchain.cluster.layout import NODE_ADDRESS, Layout, choose_root
from toolchain.folders import locate

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

STACK: Final = "keda"
NAMESPACE: Final = f"tf-serving-{STACK}"
KEDA: Final = "keda-by-hand"
CLIENTS: Final = 4
BOUNDS: Final = {"minReplicas": 1, "maxReplicas": 2}
PROMETHEUS_PORT: Final = free_port()
KEDA_SCALES: Final = {
    **BOUNDS,
    "scaler": "keda",
    "cpuPercent": 0,
    "inFlightRequests": 1,
    "prometheusUrl": f"http://127.0.0.1:{PROMETHEUS_PORT}",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield a stack that our own autoscaler scales by CPU; KEDA and Prometheus run beside the cluster."""
    run("bin/up")
    folder = tmp_path_factory.mktemp("keda")

    def scaled_by_cpu(sections: dict[str, Any]) -> None:
        sections["model"]["loadSeconds"] = 15
        sections["autoscaling"] = {**BOUNDS, "cpuPercent": 500}

    with (
        defined("keda"),
        keda(folder),
        prometheus(folder),
        another_stack(STACK, scaled_by_cpu) as name,
    ):
        up(name)
        yield name


@contextmanager
def keda(folder: Path) -> Iterator[None]:
    """Run operator and metrics server; the API server finds the second by an endpoint of a Service without pods."""
    certificates = folder / "certificates"
    certificates.mkdir()
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=keda", "-days", "2"]
    files = ["-keyout", str(certificates / "tls.key"), "-out", str(certificates / "tls.crt")]
    run(*words, *files, "-addext", f"subjectAltName=IP:127.0.0.1,IP:{NODE_ADDRESS}")
    (certificates / "ca.crt").write_text((certificates / "tls.crt").read_text())
    service, grpc_port = free_port(), free_port()
    environment = {"WATCH_NAMESPACE": NAMESPACE, "KEDA_CLUSTER_OBJECT_NAMESPACE": KEDA, "POD_NAMESPACE": KEDA}
    operator = (
        f"--cert-dir={certificates}",
        f"--metrics-service-bind-address=127.0.0.1:{grpc_port}",
        "--metrics-bind-address=0",
        "--health-probe-bind-address=0",
        "--enable-prometheus-metrics=false",
        "--zap-log-level=info",
    )
    adapter = (
        f"--secure-port={service}",
        f"--port={free_port()}",
        f"--cert-dir={certificates}",
        f"--tls-cert-file={certificates}/tls.crt",
        f"--tls-private-key-file={certificates}/tls.key",
        f"--metrics-service-address=127.0.0.1:{grpc_port}",
        f"--lister-kubeconfig={kubeconfig()}",
        f"--authentication-kubeconfig={kubeconfig()}",
        f"--authorization-kubeconfig={kubeconfig()}",
    )
    with (
        made(folder, *metrics_api(service)),
        controller("keda-operator", folder / "operator.log", *operator, **environment),
        controller("keda-adapter", folder / "adapter.log", *adapter, **environment),
    ):
        yield


def metrics_api(port: int) -> tuple[dict[str, Any], ...]:
    name = "keda-metrics-apiserver"
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": KEDA}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": KEDA},
            "spec": {"ports": [{"name": "https", "port": 443, "targetPort": port}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": name,
                "namespace": KEDA,
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            "endpoints": [{"addresses": [NODE_ADDRESS]}],
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
            "spec": {
                "service": {"name": name, "namespace": KEDA},
                "group": "external.metrics.k8s.io",
                "version": "v1beta1",
                "insecureSkipTLSVerify": True,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
        },
    )


@contextmanager
def prometheus(folder: Path) -> Iterator[None]:
    """Run Debian's Prometheus over the stack's pods, with the labels that a PodMonitor puts on every series."""
    found = folder / "targets.json"
    # Debian's does not ask a cluster for its pods; it is told of them by a file.
    scrape = {
        "job_name": "pods",
        "scrape_interval": "15s",
        "file_sd_configs": [{"files": [str(found)], "refresh_interval": "5s"}],
    }
    (folder / "prometheus.json").write_text(json.dumps({"scrape_configs": [scrape]}))
    flags = (
        f"--config.file={folder / 'prometheus.json'}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{PROMETHEUS_PORT}",
    )
    enough = threading.Event()

    def look() -> None:
        while not enough.wait(5):
            draft = found.with_suffix(".draft")
            draft.write_text(json.dumps(targets()))
            draft.rename(found)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        with running(program("prometheus"), *flags, log=folder / "prometheus.log"):
            yield
    finally:
        enough.set()
        looking.join()


def targets() -> list[dict[str, Any]]:
    """Return the pods that there are, as Prometheus is told of them."""
    pods = kubectl("get", "pods", namespace=NAMESPACE)["items"]
    return [
        {
            "targets": [f"{pod['status']['podIP']}:8502"],
            "labels": {"namespace": NAMESPACE, "pod": pod["metadata"]["name"]},
        }
        for pod in pods
        if "podIP" in pod["status"]
    ]


def test_keda_takes_over_scales_under_load_and_gives_back_in_two_updates(stack: str) -> None:
    before = deployment_generations(NAMESPACE)
    assert owners() == [""]

    def by_keda(sections: dict[str, Any]) -> None:
        sections["autoscaling"] = KEDA_SCALES

    with changed(by_keda, stack):
        up(stack)
        wait_until(lambda: owners() == ["ScaledObject"], "KEDA's autoscaler")
        wait_until(lambda: condition("Ready") == "True", "a ScaledObject that is ready")
        assert deployment_generations(NAMESPACE) == before
        with load():
            wait_until(lambda: available_pods() == 2, "a second pod")
        run("bin/pulumi", "preview", "--refresh", "--expect-no-changes", "--stack", stack)
    assert up(stack, check=False).returncode != 0  # a second autoscaler of that name
    assert owners() == ["ScaledObject"]

    def by_nobody(sections: dict[str, Any]) -> None:
        sections["autoscaling"] = {"enabled": False}
        sections["server"] = {"replicas": 2}

    with changed(by_nobody, stack):
        up(stack)
        wait_until(lambda: owners() == [], "no autoscaler")
        assert available_pods() == 2
    up(stack)
    assert owners() == [""]
    assert available_pods() == 2


def kubeconfig() -> str:
    return str(Layout(root=choose_root(locate().cluster)).kubeconfig())


def owners() -> list[str]:
    """Return the kind of what owns each autoscaler; our own is nobody's."""
    found = kubectl("get", "horizontalpodautoscalers", namespace=NAMESPACE)["items"]
    return [each["metadata"].get("ownerReferences", [{"kind": ""}])[0]["kind"] for each in found]


def condition(name: str) -> str:
    status = kubectl("get", "scaledobject", "mnist", namespace=NAMESPACE).get("status", {})
    return next((each["status"] for each in status.get("conditions", []) if each["type"] == name), "")


def available_pods() -> int:
    return int(
        kubectl("get", "deployment", "mnist", namespace=NAMESPACE)["status"].get("availableReplicas", 0)
    )


@contextmanager
def load() -> Iterator[None]:
    """Ask for predictions of a few hundred images, each client as soon as it is answered."""
    address = kubectl("get", "service", "mnist", namespace=NAMESPACE)["spec"]["clusterIP"]
    with np.load(ROOT / "build/mnist/heldout.npz", allow_pickle=False) as held_out:
        body = json.dumps({"instances": held_out["images"][:200].tolist()}).encode()
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            question = urllib.request.Request(f"http://{address}:8501/v1/models/mnist:predict", body)
            with urllib.request.urlopen(question, timeout=60) as answer:
                answer.read()

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        enough.set()
        for client in clients:
            client.join()

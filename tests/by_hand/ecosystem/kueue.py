"""A training run with a queue and a real Kueue: suspended until the queue has room, started then, and left alone by `pulumi up` throughout."""

import base64
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.by_hand.ecosystem.controllers import controller, defined, made, wait_until
from tests.e2e.commands import kubectl, run
from tests.e2e.projects import ProjectStack, project_stack
from tests.serving.processes import free_port
from toolchain.cluster.layout import NODE_ADDRESS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

API: Final = "kueue.x-k8s.io/v1beta2"
NAMESPACE: Final = "training-kueue"
QUEUE, CLUSTER_QUEUE, FLAVOR = "gpus", "training-by-hand", "by-hand"
JOB: Final = "mnist-training-7"
ROOM: Final = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "64Gi", "nvidia.com/gpu": "1"}
REGISTRY, IMAGE = "127.0.0.1:5000", "tf-serving-platform/debian"


@pytest.fixture(scope="module")
def run_in_a_queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectStack]:
    """Yield a training stack whose queue has no GPU to give."""
    run("bin/up")
    folder = tmp_path_factory.mktemp("kueue")
    training = {
        "model": "mnist",
        "version": 7,
        "image": base_image(),
        "command": ["sleep", "600"],
        "queue": QUEUE,
        "besideServing": True,
    }
    sections = {
        "namespace": NAMESPACE,
        "training": training,
        "repository": {"bucket": "s3://models/team"},
        "resources": {"cpuMillicores": 100, "memoryMib": 256, "scratchMib": 256},
        "gpu": {"count": 1},
    }
    queues = (
        # With a label, which Kueue writes into the run's pods as a node selector.
        {
            "apiVersion": API,
            "kind": "ResourceFlavor",
            "metadata": {"name": FLAVOR},
            "spec": {"nodeLabels": {"kubernetes.io/os": "linux"}},
        },
        cluster_queue({**ROOM, "nvidia.com/gpu": "0"}),
    )
    with (
        defined("kueue"),
        kueue(folder),
        made(folder, *queues),
        project_stack("examples/training", "kueue", **sections) as stack,
    ):
        stack.up()
        local = {"name": QUEUE, "namespace": NAMESPACE}
        give(
            folder,
            {
                "apiVersion": API,
                "kind": "LocalQueue",
                "metadata": local,
                "spec": {"clusterQueue": CLUSTER_QUEUE},
            },
        )
        yield stack


@contextmanager
def kueue(folder: Path) -> Iterator[None]:
    """Run Kueue with the one webhook that this is about: it suspends a Job with a queue before its first pod."""
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=kueue", "-days", "2"]
    files = ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")]
    run(*words, *files, "-addext", f"subjectAltName=IP:{NODE_ADDRESS}")
    port = free_port()
    configuration = {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": f"127.0.0.1:{free_port()}"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"port": port, "certDir": str(folder)},
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": False},
        "integrations": {"frameworks": ["batch/job"]},
    }
    (folder / "configuration.yaml").write_text(json.dumps(configuration))
    hook = {
        "name": "mjob.kb.io",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "clientConfig": {
            "url": f"https://{NODE_ADDRESS}:{port}/mutate-batch-v1-job",
            "caBundle": base64.b64encode((folder / "tls.crt").read_bytes()).decode(),
        },
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
        "rules": [
            {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}
        ],
    }
    hooks = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "kueue-by-hand"},
        "webhooks": [hook],
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kueue-system"}}
    flags = (
        f"--config={folder / 'configuration.yaml'}",
        "--feature-gates=VisibilityOnDemand=false",
        "--zap-log-level=2",
    )
    below = folder / "hooks"
    below.mkdir()
    # It reads a certificate from a path that no setting changes: a mount namespace of its own has it there.
    fixed = folder / "etc" / "kueue" / "metrics" / "certs"
    fixed.mkdir(parents=True)
    for name in ("tls.crt", "tls.key"):
        (fixed / name).write_bytes((folder / name).read_bytes())
    inside = f'mount -t overlay -o lowerdir={folder / "etc"}:/etc overlay /etc && exec "$@"'
    within = ("unshare", "--mount", "sh", "-c", inside, "kueue")
    with controller("kueue", folder / "kueue.log", *flags, within=within), made(below, namespace, hooks):
        yield


def test_a_run_waits_for_room_in_its_queue_and_pulumi_leaves_it_alone(
    run_in_a_queue: ProjectStack, tmp_path: Path
) -> None:
    before = job()
    assert before["spec"]["suspend"] is True
    wait_until(lambda: "couldn't assign flavors" in waiting_for(), "a reason to wait")
    assert kubectl("get", "pods", namespace=NAMESPACE)["items"] == []
    untouched(run_in_a_queue, suspended=True)
    give(tmp_path, cluster_queue(ROOM))
    wait_until(lambda: job()["spec"]["suspend"] is False, "a Job that was let go")
    wait_until(lambda: kubectl("get", "pods", namespace=NAMESPACE)["items"] != [], "its pod")
    (pod,) = kubectl("get", "pods", namespace=NAMESPACE)["items"]
    assert pod["spec"]["nodeSelector"]["kubernetes.io/os"] == "linux"
    untouched(run_in_a_queue, suspended=False)
    assert job()["metadata"]["uid"] == before["metadata"]["uid"]
    give(
        tmp_path,
        {**cluster_queue(ROOM), "spec": {**cluster_queue(ROOM)["spec"], "stopPolicy": "HoldAndDrain"}},
    )
    wait_until(lambda: job()["spec"]["suspend"] is True, "a Job that was stopped")
    untouched(run_in_a_queue, suspended=True)


def untouched(stack: ProjectStack, *, suspended: bool) -> None:
    """See that neither an update nor one after a refresh changes what Kueue decided."""
    uid = job()["metadata"]["uid"]
    stack.pulumi("preview", "--expect-no-changes")
    stack.pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert (job()["metadata"]["uid"], job()["spec"]["suspend"]) == (uid, suspended)


def give(folder: Path, *objects: dict[str, Any]) -> None:
    file = folder / "given.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    run("bin/cluster", "kubectl", "apply", f"--filename={file}")


def cluster_queue(quota: dict[str, str]) -> dict[str, Any]:
    resources = [{"name": name, "nominalQuota": amount} for name, amount in quota.items()]
    group = {"coveredResources": list(quota), "flavors": [{"name": FLAVOR, "resources": resources}]}
    return {
        "apiVersion": API,
        "kind": "ClusterQueue",
        "metadata": {"name": CLUSTER_QUEUE},
        "spec": {"namespaceSelector": {}, "resourceGroups": [group]},
    }


def job() -> dict[str, Any]:
    found: dict[str, Any] = kubectl("get", "job", JOB, namespace=NAMESPACE)
    return found


def waiting_for() -> str:
    """Return why Kueue lets the run wait."""
    workloads = kubectl("get", "workloads.kueue.x-k8s.io", namespace=NAMESPACE)["items"]
    conditions = [each for one in workloads for each in one.get("status", {}).get("conditions", [])]
    return " ".join(each.get("message", "") for each in conditions)


def base_image() -> str:
    """Return an image that the registry has, by digest: what trains in it is not what this is about."""
    accepted = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    question = urllib.request.Request(f"http://{REGISTRY}/v2/{IMAGE}/manifests/bookworm", headers=accepted)
    with urllib.request.urlopen(question, timeout=10) as answer:
        return f"{REGISTRY}/{IMAGE}@{answer.headers['Docker-Content-Digest']}"

"""A training run on the real cluster: it waits while its node serves, trains once it may share it, and what it publishes is served."""

import base64
import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.e2e.cluster.conftest import eventually
from tests.e2e.commands import ROOT, kubectl, run
from tests.e2e.projects import ProjectStack, project_stack
from tests.e2e.settings import another_stack, up
from tests.model_export.repository.s3_server import ACCESS, BUCKET, SECRET, S3Server
from toolchain.cluster.layout import NODE_ADDRESS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3000)]

NAMESPACE: Final = "training-e2e"
VERSION: Final = 7
KEYS: Final = f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n"
REGION: Final = "us-east-1"
RUN_SECONDS: Final = 900
"""The longest that pulling the image, training, exporting and publishing may take together."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"), host=NODE_ADDRESS)  # a pod's own 127.0.0.1 is another
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def image(outputs: dict[str, Any]) -> str:
    """Build the image of a training run with the local stack's builder and bases, and return it by digest."""
    assert outputs
    images = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]["tf-serving-platform:images"]
    wanted = {name: images[name] for name in ("registry", "base", "builderBase", "builder")}
    with project_stack("examples/training/image", "e2e", **wanted) as stack:
        return str(stack.up()["image"])


@pytest.fixture(scope="module")
def waiting(image: str, store: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProjectStack]:
    """A training stack on the one node, where the local stack serves."""
    with project_stack("examples/training", "e2e", **sections(image, store)) as stack:
        stack.up()
        give_keys(NAMESPACE, tmp_path_factory.mktemp("keys"))
        yield stack


@pytest.fixture(scope="module")
def published(waiting: ProjectStack, image: str, store: S3Server) -> dict[str, Any]:
    """Let the run share the node, see it to its end, and return the stack's outputs."""
    waiting.configure(**sections(image, store, besideServing=True))
    outputs = waiting.up()
    assert ended(outputs["job"]) == "Complete", logs(outputs["job"])
    return outputs


def test_a_run_waits_as_long_as_its_node_serves(waiting: ProjectStack) -> None:
    assert waiting
    assert eventually(lambda: "anti-affinity" in unschedulable())
    assert "Insufficient" not in unschedulable()


def test_a_run_that_may_share_its_node_publishes_what_it_trained(
    published: dict[str, Any], waiting: ProjectStack, store: S3Server
) -> None:
    (train,) = pod()["spec"]["initContainers"]
    assert train["resources"]["limits"]["nvidia.com/gpu"] == "1"
    listed = json.loads(repository("list", published["published_to"], "--json", store=store))
    (version,) = listed["versions"]
    assert "Done training!" in logs(published["job"])
    assert (version["name"], version["version"], listed["labels"]) == ("mnist", VERSION, {"canary": VERSION})
    waiting.pulumi("preview", "--expect-no-changes")


def test_a_serving_stack_fetches_the_published_version_and_answers(
    published: dict[str, Any], image: str, store: S3Server, images_and_labels: Any, tmp_path: Path
) -> None:
    repository("fetch", published["published_to"], "canary", str(tmp_path), store=store)

    def served(settings: dict[str, Any]) -> None:
        settings["model"] = {"name": "mnist", "source": str(tmp_path / str(VERSION)), "loadSeconds": 15}
        settings["autoscaling"] = {"enabled": False}
        settings["delivery"] = {
            "mode": "init-fetch",
            "fetchImage": image,
            **bucket(store),
        }

    with another_stack("trained", served) as stack, ThreadPoolExecutor() as beside:
        namespace = f"tf-serving-{stack}"
        keys = beside.submit(give_keys, namespace, tmp_path)
        up(stack)
        keys.result()
        assert served_version(namespace) == str(VERSION)
        assert error_rate(namespace, *images_and_labels) <= 0.11


def sections(image: str, store: S3Server, **training: Any) -> dict[str, Any]:
    return {
        "namespace": NAMESPACE,
        "repository": bucket(store),
        "training": {"model": "mnist", "version": VERSION, "image": image, "labels": ["canary"], **training},
        "resources": {"cpuMillicores": 500, "memoryMib": 2048, "scratchMib": 256},
        "gpu": {"count": 1},
    }


def bucket(store: S3Server) -> dict[str, Any]:
    return {
        "bucket": f"s3://{BUCKET}/team",
        "endpoint": store.endpoint,
        "region": REGION,
        "credentialsSecret": "s3",
    }


def give_keys(namespace: str, folder: Path) -> None:
    """Put the Secret into a namespace as soon as a stack has made it."""
    run("bin/cluster", "kubectl", "wait", "--for=create", f"namespace/{namespace}", "--timeout=300s")
    file, data = folder / "secret.json", {"credentials": base64.b64encode(KEYS.encode()).decode()}
    file.write_text(
        json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3"}, "data": data})
    )
    run("bin/cluster", "kubectl", "apply", f"--filename={file}", f"--namespace={namespace}")


def repository(verb: str, *words: str, store: S3Server) -> str:
    return run(
        sys.executable,
        "-m",
        "model_export",
        verb,
        *words,
        AWS_ENDPOINT_URL=store.endpoint,
        AWS_ACCESS_KEY_ID=ACCESS,
        AWS_SECRET_ACCESS_KEY=SECRET,
        AWS_DEFAULT_REGION=REGION,
    ).stdout


def logs(job: str) -> str:
    words = ["logs", f"job/{job}", "--all-containers", f"--namespace={NAMESPACE}"]
    return run("bin/cluster", "kubectl", *words, check=False).stdout


def pod() -> Any:
    (found,) = kubectl("get", "pods", namespace=NAMESPACE)["items"]
    return found


def unschedulable() -> str:
    """Return why the scheduler has found no node for the run's pod, if it has looked."""
    conditions = [
        condition
        for each in kubectl("get", "pods", namespace=NAMESPACE)["items"]
        for condition in each["status"].get("conditions", [])
    ]
    return " ".join(each.get("message", "") for each in conditions if each.get("reason") == "Unschedulable")


def ended(job: str) -> str:
    """Return `Complete` or `Failed` once the Job is either."""
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        conditions = kubectl("get", "job", job, namespace=NAMESPACE)["status"].get("conditions", [])
        for each in conditions:
            if each["status"] == "True" and each["type"] in {"Complete", "Failed"}:
                return str(each["type"])
        time.sleep(1)
    pytest.fail(f"job {job} had not ended after {RUN_SECONDS} s: {json.dumps(pod()['status'])}")


def address(namespace: str) -> str:
    service = kubectl("get", "service", "mnist", namespace=namespace)
    return f"http://{service['spec']['clusterIP']}:8501/v1/models/mnist"


def served_version(namespace: str) -> str:
    with urllib.request.urlopen(address(namespace), timeout=10) as answer:
        (status,) = json.load(answer)["model_version_status"]
    return str(status["version"])


def error_rate(namespace: str, images: Any, labels: Any) -> float:
    """Return the share of held-out images whose highest score is another digit's."""
    wrong = 0
    for start in range(0, len(images), 100):
        body = json.dumps({"instances": images[start : start + 100].tolist()}).encode()
        question = urllib.request.Request(f"{address(namespace)}:predict", body)
        with urllib.request.urlopen(question, timeout=30) as answer:
            scores = json.load(answer)["predictions"]
        chosen = [row.index(max(row)) for row in scores]
        wrong += sum(int(a != b) for a, b in zip(chosen, labels[start : start + 100], strict=True))
    return wrong / len(images)

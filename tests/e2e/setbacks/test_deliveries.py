"""A version that is no layer of the image: fetched from a real S3 server, refused where it was changed there, mounted from a volume."""

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.commands import ROOT, run
from tests.e2e.questions import Questions
from tests.e2e.setbacks.conftest import NAMESPACE, deployment, served_by
from tests.e2e.setbacks.interruptions import other_timeout
from tests.e2e.settings import Change, changed, up
from tests.model_export.repository.s3_server import ACCESS, BUCKET, SECRET, S3Server
from toolchain.cluster.layout import NODE_ADDRESS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

NAME: Final = "deliveries"
"""Of every object that is made by hand."""
REGION: Final = "us-east-1"
KEYS: Final = f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n"
VERSION: Final = 1000


@pytest.fixture
def bucket(healthy: str, tmp_path: Path) -> Iterator[S3Server]:
    """A store that holds the stack's version, and its keys as a Secret."""
    assert healthy
    server = S3Server(tmp_path / "s3", host=NODE_ADDRESS)  # a pod's own 127.0.0.1 is another
    server.start()
    secret = {"kind": "Secret", "data": {"credentials": base64.b64encode(KEYS.encode()).decode()}}
    try:
        publish(
            f"s3://{BUCKET}/team/mnist",
            AWS_ENDPOINT_URL=server.endpoint,
            AWS_ACCESS_KEY_ID=ACCESS,
            AWS_SECRET_ACCESS_KEY=SECRET,
            AWS_DEFAULT_REGION=REGION,
        )
        with applied(tmp_path, secret):
            yield server
    finally:
        server.kill()


@pytest.fixture
def claim(healthy: str, tmp_path: Path) -> Iterator[str]:
    """A claim in the stack's namespace, bound to a folder of this machine that holds the version."""
    assert healthy
    home = tmp_path / "repository"
    publish(str(home / "mnist"))
    modes = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    volume = {**modes, "capacity": {"storage": "1Gi"}, "hostPath": {"path": str(home)}}
    asked = {**modes, "volumeName": NAME, "resources": {"requests": {"storage": "1Gi"}}}
    with (
        applied(tmp_path, {"kind": "PersistentVolume", "spec": volume}),
        applied(tmp_path, {"kind": "PersistentVolumeClaim", "spec": asked}),
    ):
        yield NAME


def test_a_version_is_fetched_from_s3_and_refused_once_a_byte_of_it_is_another(
    healthy: str, bucket: S3Server, client: Questions
) -> None:
    with changed(from_bucket(bucket), healthy), client as asked:
        up(healthy)
        assert served_by() == 1
        assert [each["name"] for each in pod_spec()["initContainers"]] == ["fetch"]
        graph = largest(bucket.folder / BUCKET / f"team/mnist/{VERSION}/files")
        flip_a_byte(graph)
        with changed(other_timeout(6), healthy):
            said = up(healthy, check=False)
        assert deployment()["status"]["readyReplicas"] == 1
    assert said.returncode != 0
    assert graph.name in said.stdout
    assert asked.failures == []


def test_a_version_is_mounted_from_a_volume(healthy: str, claim: str, client: Questions) -> None:
    with changed(from_volume(claim), healthy), client as asked:
        up(healthy)
        assert served_by() == 1
        (mount,) = (each for each in pod_spec()["containers"][0]["volumeMounts"] if each["name"] == "model")
        assert (mount["subPath"], mount["readOnly"]) == (f"mnist/{VERSION}", True)
        before = asked.answered
        up(healthy)
    assert asked.answered > before  # by the pod that mounts it
    assert asked.failures == []


def from_bucket(server: S3Server) -> Change:
    def change(sections: dict[str, Any]) -> None:
        sections["delivery"] = {
            "mode": "init-fetch",
            "bucket": f"s3://{BUCKET}/team",
            "endpoint": server.endpoint,
            "region": REGION,
            "credentialsSecret": NAME,
        }

    return change


def from_volume(claim: str) -> Change:
    def change(sections: dict[str, Any]) -> None:
        sections["delivery"] = {"mode": "volume", "claim": claim}

    return change


@contextmanager
def applied(folder: Path, manifest: dict[str, Any]) -> Iterator[None]:
    """Make an object in the stack's namespace by hand, as whoever runs the cluster would."""
    file, there = folder / f"{manifest['kind']}.json", f"--namespace={NAMESPACE}"
    file.write_text(json.dumps({"apiVersion": "v1", "metadata": {"name": NAME}, **manifest}))
    run("bin/cluster", "kubectl", "apply", f"--filename={file}", there)
    try:
        yield
    finally:
        # A claim goes when the last pod that mounts it does.
        run("bin/cluster", "kubectl", "delete", f"--filename={file}", there, "--wait=false")


def publish(repository: str, **env: str) -> None:
    version = str(ROOT / f"build/models/mnist/{VERSION}")
    run(sys.executable, "-m", "model_export", "publish", version, repository, **env)


def largest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda file: file.stat().st_size)


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def pod_spec() -> Any:
    return deployment()["spec"]["template"]["spec"]

"""Tutorials and pages that go on where a checkout alone does not reach, read to the letter on the real cluster."""

import hashlib
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import CLUSTER, NOTHING, blocks_of, reading
from tests.e2e.cluster.conftest import eventually
from tests.e2e.commands import kubectl, run
from tests.e2e.pages.conftest import Tutorial
from tests.e2e.settings import another_stack, as_it_was, stack_outputs, up
from tests.package.linked import link_package
from tests.policy.project import ROOT
from tests.serving.processes import free_port

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200), pytest.mark.usefixtures("operator")]


def ask(url: str, instances: Any, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(url, json.dumps({"instances": instances}).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_your_own_keras_model_answers_on_the_cluster_as_it_did_on_this_machine(tutorial: Tutorial) -> None:
    assert any("signed by the key" in text for text in tutorial.printed)
    (locally,) = [json.loads(text) for text in tutorial.printed if '"predictions"' in text]
    (scores,) = locally["predictions"]
    assert max(range(3), key=scores.__getitem__) == 1
    assert "All is well." in tutorial.printed[-1]
    url = stack_outputs(tutorial.stack)["rest_url"]
    status, answer = ask(f"{url}/v1/models/points:predict", [[2.1, 1.9, 0.1, 0.0]])
    assert (status, answer["predictions"][0]) == (200, pytest.approx(scores, rel=1e-5))


def test_a_program_in_yaml_deploys_what_the_python_program_built(
    outputs: dict[str, Any], images_and_labels: Any, tmp_path: Path
) -> None:
    link_package(tmp_path / "package")
    places = {
        "registry.example.com/team/models/mnist@sha256:" + "0" * 64: outputs["image"],
        "sha256:" + "0" * 64: outputs["model_digest"],
        "../../../package": str(tmp_path / "package"),
        "../../../policy": str(ROOT / "policy"),
        "build/tutorial": str(tmp_path),
    }
    program = ["--cwd", str(tmp_path / "yaml")]
    try:
        with reading(
            "docs/tutorials/other-languages.md#What a program names", needs=(NOTHING, CLUSTER)
        ) as page:
            assert page.next().split() == [outputs["image"], outputs["model_digest"]]
            assert outputs["model_digest"] in page.next()
        with reading(
            "docs/tutorials/other-languages.md#In YAML",
            needs=(NOTHING, CLUSTER),
            replace=places,
            saved=("yaml",),
        ) as page:
            page.rest()
        service = kubectl("get", "service", "mnist", namespace="mnist-from-yaml")["spec"]["clusterIP"]
        status, _ = ask(f"http://{service}:8501/v1/models/mnist:predict", images_and_labels[0][:1].tolist())
        assert status == 200
    finally:
        run("bin/pulumi", *program, "destroy", "--yes", "--skip-preview", "--stack", "dev", check=False)
        run("bin/pulumi", *program, "stack", "rm", "dev", "--yes", "--force", check=False)


def test_only_known_senders_are_let_in(
    outputs: dict[str, Any], images_and_labels: Any, tmp_path: Path
) -> None:
    token = "a-token-of-this-test"
    digest = hashlib.sha256(token.encode()).hexdigest()
    places = {
        "$(openssl rand -hex 32)": token,
        "--namespace tf-serving": "--namespace tf-serving-guarded",
        "=access.json": f"={tmp_path / 'access.json'}",
        "--stack prod": "--stack guarded",
    }
    (access,) = [block.text for block in blocks_of("docs/components/platform.md") if block.language == "json"]
    (tmp_path / "access.json").write_text(
        access.replace("<64 hexadecimal digits>", digest, 1).replace("<64 hexadecimal digits>", "0" * 64)
    )
    question = images_and_labels[0][:1].tolist()
    with another_stack("guarded", lambda _: None) as stack:
        up(stack)
        with reading("docs/components/platform.md", needs=(NOTHING, CLUSTER), replace=places) as page:
            assert page.next().split()[:2] == [token, digest]
            page.next()
        service = kubectl("get", "service", "mnist", namespace="tf-serving-guarded")["spec"]["clusterIP"]
        url = f"http://{service}:8501/v1/models/mnist:predict"
        # A pod of before, which asks nobody for a token, may answer until it is gone.
        assert eventually(lambda: ask(url, question)[0] == 401)
        assert ask(url, question, Authorization=f"Bearer {token}")[0] == 200


def test_a_stack_is_written_as_files_once_its_images_are_pushed(
    outputs: dict[str, Any], tmp_path: Path
) -> None:
    replace = {"--stack prod": "--stack local", "manifests/prod": str(tmp_path / "manifests")}
    with reading("docs/gitops.md", needs=(CLUSTER,), replace=replace) as page:
        page.rest()
    deployment = yaml.safe_load((tmp_path / "manifests/deployment-mnist.yaml").read_text())
    images = {each["image"] for each in deployment["spec"]["template"]["spec"]["containers"]}
    assert images == {outputs["image"]}


def test_the_console_is_reached_through_a_port_forward(outputs: dict[str, Any]) -> None:
    port = free_port()
    replace = {
        "--namespace tf-serving": f"--namespace {outputs['namespace']}",
        " 8503 &": f" {port}:8503 &",
        "localhost:8503": f"localhost:{port}",
    }
    with reading("docs/console.md", needs=(CLUSTER,), replace=replace) as page:
        assert "Try a model" in page.next()


def test_a_pipeline_in_python_previews_and_updates(outputs: dict[str, Any]) -> None:
    assert outputs
    with as_it_was("local"), reading("docs/automation.md", needs=(CLUSTER,)) as page:
        previewed, updated = map(json.loads, page.next().splitlines())
        assert set(previewed["changes"]) == {"same"}
        assert updated["rest_url"] == outputs["rest_url"]
        (autoscaler,) = kubectl("get", "hpa", namespace=outputs["namespace"])["items"]
        assert autoscaler["spec"]["maxReplicas"] == 5
    up("local")

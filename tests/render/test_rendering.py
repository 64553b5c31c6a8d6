"""Stacks rendered through the real CLI, and judged as a cluster and a reviewer would judge the files."""

import subprocess
import warnings
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from policy.catalogue import RULES, STACK_RULES
from policy.rule import Resource
from tests.components.restricted import violations
from tests.policy import project
from tests.policy.project import ROOT, Project

DIGEST = "@sha256:" + "a" * 64
IMAGE = f"registry.example.com/prod/mnist:1000{DIGEST}"
CANARY = "canary-0b7e5f1c9d"
"""A planted text that stands for a secret."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = project.make(tmp_path_factory.mktemp("checkout"))
    (made.folder / "render").symlink_to(ROOT / "render")
    (made.folder / "pip.conf").write_text(
        f"[global]\nindex-url = https://user:{CANARY}@packages.example.com/simple\n"
    )
    made.write_stack("prod", images={"pipConfig": "pip.conf"})
    return made


def render(checkout: Project, output: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["python", "-m", "render", "--stack", "prod", "--output", str(output), *words]
    return subprocess.run(
        command, cwd=checkout.folder, env=checkout.environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def rendered(checkout: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("rendered") / "prod"
    done = render(checkout, output, "--image", f"mnist={IMAGE}")
    assert done.returncode == 0, done.stderr
    return output


def objects(rendered: Path) -> list[dict[str, Any]]:
    index = yaml.safe_load((rendered / "kustomization.yaml").read_text())
    return [yaml.safe_load((rendered / name).read_text()) for name in index["resources"]]


def test_every_object_of_the_stack_has_a_file(rendered: Path):
    assert [each["kind"] for each in objects(rendered)] == [
        "Namespace",
        "ResourceQuota",
        "ServiceAccount",
        "NetworkPolicy",
        "NetworkPolicy",
        "Service",
        "Deployment",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
    ]


@pytest.mark.parametrize("version", ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"])
def test_every_file_is_valid_in_each_supported_kubernetes(rendered: Path, version: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the validator's own use of a deprecated resolver
        for each in objects(rendered):
            kubernetes_validate.validate(each, version, strict=True)


def test_pods_keep_the_restricted_profile(rendered: Path):
    pods = [each["spec"]["template"]["spec"] for each in objects(rendered) if each["kind"] == "Deployment"]
    assert [violations(pod) for pod in pods] == [[]]


def test_the_files_keep_every_rule_of_the_policy_pack_that_is_on_by_itself(rendered: Path):
    resources = [
        Resource(
            type=f"kubernetes:{each['apiVersion']}:{each['kind']}", name=each["metadata"]["name"], props=each
        )
        for each in objects(rendered)
    ]
    asked = [rule for rule in RULES if not rule.is_on_request]
    assert [text for rule in asked for each in resources for text in rule.check(each)] == []
    assert [text for rule in STACK_RULES for _, text in rule.check(resources)] == []


def test_no_secret_is_in_any_file(rendered: Path):
    texts = {path.name: path.read_text() for path in rendered.iterdir()}
    assert [name for name, text in texts.items() if CANARY in text or "[secret]" in text] == []


def test_nothing_of_pulumi_is_in_any_file(rendered: Path):
    assert [path.name for path in rendered.iterdir() if "pulumi.com/" in path.read_text()] == []


def test_rendering_again_changes_no_file(checkout: Project, rendered: Path):
    before = {path.name: path.read_bytes() for path in rendered.iterdir()}
    assert render(checkout, rendered, "--image", f"mnist={IMAGE}").returncode == 0
    assert {path.name: path.read_bytes() for path in rendered.iterdir()} == before


def test_an_image_that_is_not_built_is_a_sentence_and_leaves_no_file(checkout: Project, tmp_path: Path):
    done = render(checkout, tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: Deployment mnist: spec.template.spec.containers[0].image is only known after an update"
    )
    assert not (tmp_path / "out").exists()


def test_a_tag_is_no_image(checkout: Project, tmp_path: Path):
    done = render(checkout, tmp_path / "out", "--image", "mnist=registry.example.com/mnist:latest")
    assert "only a digest says what will run" in done.stderr


def test_a_mistake_in_the_stack_is_said_in_its_own_words(checkout: Project, tmp_path: Path):
    checkout.write_stack("prod", server={"restNodePort": 30001})
    done = render(checkout, tmp_path / "out")
    checkout.write_stack("prod", images={"pipConfig": "pip.conf"})
    assert done.returncode == 1
    assert "server.restNodePort is 30001 but server.serviceType is ClusterIP" in done.stderr

"""`pulumi preview --policy-pack policy/` with the real CLI: the pack runs, lets our stacks pass, and stops others by name."""

import json
import shutil
from pathlib import Path

import pytest

import trust
from notary import Office
from tests.notary.registries import running
from tests.policy import project
from tests.policy.project import Project
from tests.trust.folders import private_pem, public_of


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return project.make(tmp_path_factory.mktemp("checkout"))


def preview(checkout: Project, stack: str) -> tuple[int, str]:
    asked = checkout.pulumi("preview", "--stack", stack, "--policy-pack", "policy/")
    return asked.returncode, asked.stdout + asked.stderr


def test_production_keeps_every_rule(checkout: Project):
    checkout.write_stack("prod")
    code, said = preview(checkout, "prod")
    assert code == 0, said
    assert "✅ tf-serving-platform@v1.0.0" in said


def test_a_stack_that_breaks_rules_is_stopped_and_told_which(checkout: Project):
    checkout.write_stack(
        "prod",
        server={"serviceType": "NodePort"},
        exposure={"networkPolicies": False},
        images={"requireDigests": False, "base": "registry.example.com/prod/debian:bookworm"},
    )
    code, said = preview(checkout, "prod")
    assert code != 0
    assert "[mandatory]  services-inside" in said
    assert "Service mnist: type NodePort" in said
    assert "[mandatory]  namespace-closed" in said
    assert "[mandatory]  bases-by-digest" in said


def test_a_pack_from_a_folder_judges_a_program_of_another_project(tmp_path: Path):
    (tmp_path / "Pulumi.yaml").write_text("name: another\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(
        "from pulumi_kubernetes.core.v1 import PersistentVolumeClaim\n"
        "PersistentVolumeClaim('models', metadata={'namespace': 'team', 'name': 'models'})\n"
    )
    state = tmp_path / "state"
    state.mkdir()
    settings = project.environment() | {"PULUMI_BACKEND_URL": f"file://{state}"}
    another = Project(folder=tmp_path, environment=settings)
    another.pulumi("stack", "init", "dev")
    asked = another.pulumi("preview", "--stack", "dev", "--policy-pack", str(project.ROOT / "policy"))
    assert "data-protected" in asked.stdout
    assert asked.returncode != 0


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_on_request_it_asks_who_vouches_for_a_model(checkout: Project, tmp_path: Path, signed: bool):
    (tmp_path / "pack.json").write_text('{"models-vouched-for": "mandatory"}')
    shutil.copytree(project.ROOT / "examples/mnist/published/1000", tmp_path / "1000")
    key = private_pem()
    (tmp_path / "1000" / trust.SIGNATURE_NAME).write_text(trust.sign(tmp_path / "1000", key))
    keys = {"signatureKeys": [public_of(key)]} if signed else {}
    checkout.write_stack("prod", model={"name": "mnist", "source": str(tmp_path / "1000"), **keys})
    words = ["--policy-pack", "policy/", "--policy-pack-config", str(tmp_path / "pack.json")]
    asked = checkout.pulumi("preview", "--stack", "prod", *words)
    said = asked.stdout + asked.stderr
    assert (asked.returncode == 0) is signed, said
    assert ("[mandatory]  models-vouched-for" in said) is not signed


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_with_keys_it_asks_who_signed_an_image(checkout: Project, tmp_path: Path, signed: bool):
    key = private_pem()
    settings = {"enforcementLevel": "mandatory", "keys": [public_of(key)]}
    (tmp_path / "pack.json").write_text(json.dumps({"images-signed": settings}))
    with running() as registry:
        image = registry.push("team/mnist").replace("@", ":1000@")
        if signed:
            Office.open(private_pem=key.decode()).sign(image)
        checkout.write_stack("prod", model={"pushedImage": image})
        words = ["--policy-pack", "policy/", "--policy-pack-config", str(tmp_path / "pack.json")]
        asked = checkout.pulumi("preview", "--stack", "prod", *words)
    said = asked.stdout + asked.stderr
    assert (asked.returncode == 0) is signed, said
    assert ("[mandatory]  images-signed" in said) is not signed

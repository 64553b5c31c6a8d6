"""A namespace that another has made is left alone, and said to be another's."""

import json
import os
from pathlib import Path

import pulumi
import pytest

from components import naming, ownership
from tests.components import test_platform, test_training_job

OURS = "organization/tf-serving-platform/test"
CREATION = pulumi.ResourceHookArgs(
    urn="",
    id="",
    name="serving-namespace",
    type="kubernetes:core/v1:Namespace",
    new_inputs={"metadata": {"name": "tf-serving", "annotations": {naming.STACK_ANNOTATION: OURS}}},
)


def namespace(**annotations: str) -> dict:
    return {"metadata": {"name": "tf-serving", "annotations": annotations}}


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Let the kubectl on the path answer with a text and an exit code."""

    def write(text: str, code: int = 0) -> None:
        kubectl = tmp_path / "kubectl"
        kubectl.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n")
        kubectl.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return write


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (namespace(), "was not made by a stack of this project"),
        ({"metadata": {"name": "tf-serving"}}, "was not made by a stack of this project"),
        (namespace(**{naming.STACK_ANNOTATION: "acme/shop/prod"}), "belongs to the stack acme/shop/prod"),
    ],
    ids=["another tool's", "without annotations", "another stack's"],
)
def test_a_namespace_of_another_is_refused_by_name_with_its_owner(found, said):
    with pytest.raises(pulumi.RunError, match=f'namespace "tf-serving" already exists and {said}'):
        ownership.check_owner("tf-serving", found, OURS)


@pytest.mark.parametrize("running", [None, {"items": []}], ids=["not told", "nothing"])
def test_a_namespace_whose_creation_was_cut_off_is_taken_up_again(running):
    ownership.check_owner("tf-serving", namespace(**{naming.STACK_ANNOTATION: OURS}), OURS)
    ownership.check_state("tf-serving", running)


def test_what_runs_for_a_state_that_was_lost_is_named_with_the_ways_out(answer):
    hook = test_platform.deploy().hooks["namespace-is-ours"]
    ours = namespace(**{naming.STACK_ANNOTATION: OURS})
    answer(json.dumps({**ours, "items": [{"kind": "Deployment", "metadata": {"name": "mnist"}}]}))
    with pytest.raises(
        pulumi.RunError, match=r"holds Deployment mnist of this very stack.*docs/operations\.md"
    ):
        hook.callback(CREATION)


@pytest.mark.parametrize(
    "deploy", [test_platform.deploy, test_training_job.deploy], ids=["serving", "training"]
)
def test_a_platform_says_in_its_namespace_whose_it_is_and_asks_before_it_makes_it(deploy):
    declared = deploy()
    annotations = declared.one("Namespace").inputs["metadata"]["annotations"]
    assert annotations[naming.STACK_ANNOTATION].endswith("/tf-serving-platform/test")
    assert "namespace-is-ours" in declared.hooks


@pytest.mark.parametrize(("text", "code"), [("", 0), ("no route to host", 1)], ids=["free", "no cluster"])
def test_a_free_namespace_and_a_silent_cluster_are_left_to_the_creation(answer, text, code):
    hook = test_platform.deploy().hooks["namespace-is-ours"]
    answer(text, code)
    hook.callback(CREATION)


@pytest.mark.parametrize(
    ("deploy", "key"),
    [(test_platform.deploy, "cluster.namespace"), (test_training_job.deploy, "namespace")],
    ids=["serving", "training"],
)
def test_a_namespace_that_the_cluster_shows_ends_the_creation_with_the_key_to_set(answer, deploy, key):
    hook = deploy().hooks["namespace-is-ours"]
    answer('{"metadata": {"name": "tf-serving"}}')
    with pytest.raises(pulumi.RunError, match=f"already exists and .*; set {key} to one that is free"):
        hook.callback(CREATION)

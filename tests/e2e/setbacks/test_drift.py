"""What was changed past Pulumi is named before anything is done, and one command restores it (F16, F23, F27)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.commands import kubectl, run
from tests.e2e.setbacks.conftest import NAMESPACE, deployment, served_by, short_waits
from tests.e2e.settings import another_stack, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


@pytest.fixture
def whole(stack: str) -> Iterator[str]:
    yield stack
    run("bin/pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", stack)
    assert served_by() == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["label", "deployment/mnist", "app.kubernetes.io/name=another", "--overwrite"], "Deployment"),
        (["set", "image", "deployment/mnist", "server=127.0.0.1:5000/another:1"], "Deployment"),
        (["delete", "service/mnist"], "Service"),
        (["delete", "poddisruptionbudget/mnist"], "PodDisruptionBudget"),
    ],
    ids=["a label", "an image", "a deleted Service", "a deleted budget"],
)
def test_drift_is_named_by_a_refresh_that_changes_nothing(whole: str, words: list[str], named: str) -> None:
    run("bin/cluster", "kubectl", *words, f"--namespace={NAMESPACE}")
    looked = run(
        "bin/pulumi", "refresh", "--preview-only", "--expect-no-changes", "--stack", whole, check=False
    )
    assert looked.returncode != 0
    assert named in looked.stdout + looked.stderr


def test_an_object_that_another_tool_owns_is_not_taken_by_force(whole: str) -> None:
    patch = '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":77}}}}'
    run(
        "bin/cluster",
        "kubectl",
        "patch",
        "deployment/mnist",
        f"--namespace={NAMESPACE}",
        "--field-manager=another-tool",
        f"--patch={patch}",
    )
    said = run("bin/pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", whole, check=False)
    assert said.returncode != 0
    assert "another-tool" in said.stdout + said.stderr
    assert deployment()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 77
    # The operator's choice: give the object up, and let Pulumi make it anew.
    run("bin/cluster", "kubectl", "delete", "deployment/mnist", f"--namespace={NAMESPACE}")


def test_a_namespace_that_is_there_already_is_refused_by_name(stack: str) -> None:
    def take_the_same_namespace(sections: dict[str, Any]) -> None:
        short_waits(sections)
        sections["cluster"]["namespace"] = NAMESPACE

    before = kubectl("get", "namespace", NAMESPACE)["metadata"]["uid"]
    with another_stack(f"{stack}-twin", take_the_same_namespace) as twin:
        said = up(twin, check=False)
    assert said.returncode != 0
    assert f'"{NAMESPACE}" already exists' in said.stdout + said.stderr
    assert kubectl("get", "namespace", NAMESPACE)["metadata"]["uid"] == before

"""Which stack `bin/up` deploys."""

import pytest

from launch.stack import stack_for
from launch.steps import StepError


def test_without_a_context_it_is_the_local_stack() -> None:
    assert stack_for(None, None).name == "local"


@pytest.mark.parametrize(
    ("context", "registry", "missing"),
    [("prod", None, "--registry"), (None, "registry.example.com", "--context")],
    ids=["no registry", "no context"],
)
def test_a_context_and_a_registry_come_together(
    context: str | None, registry: str | None, missing: str
) -> None:
    with pytest.raises(StepError, match=f"received no {missing}"):
        stack_for(context, registry)

"""A roll-out that counts on a GPU that is not there: it says so while all the old pods answer, and the next update mends it (F14)."""

from functools import partial
from typing import Any, Final

import pytest

from tests.e2e.questions import Questions
from tests.e2e.setbacks.conftest import pods, served_by
from tests.e2e.setbacks.faults import failed
from tests.e2e.setbacks.interruptions import other_timeout, request_timeout_seconds
from tests.e2e.settings import Change, changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

GPUS: Final = 2
"""Of the local cluster, unless `bin/cluster up --gpus` was told otherwise."""


def test_a_roll_out_without_a_spare_gpu_is_explained_and_the_next_update_makes_room(
    healthy: str, client: Questions
) -> None:
    with changed(a_gpu_each(available=GPUS), healthy):
        up(healthy)
        assert served_by() == GPUS
        old = names()
        with client as asked:
            said = failed(partial(up_with_one_more, healthy), healthy)
            assert names() > old
            (waiting,) = names() - old
            with changed(other_timeout(7), healthy):
                up(healthy)
            assert served_by() == GPUS
    assert f"pod {waiting} is Pending, no node can take it: " in said
    assert "Insufficient nvidia.com/gpu" in said
    assert request_timeout_seconds() == 7
    assert len(names()) == GPUS
    assert names().isdisjoint({*old, waiting})
    assert asked.answered > 0
    assert asked.failures == []


def a_gpu_each(*, available: int) -> Change:
    """Return a change to as many pods as the cluster has GPUs, and to what the planner is told of their number."""

    def change(sections: dict[str, Any]) -> None:
        sections["server"]["replicas"] = GPUS
        sections["gpu"] = {"count": 1, "available": available}

    return change


def up_with_one_more(stack: str) -> tuple[bool, str]:
    """Exchange pods as if one GPU more were there, and be impatient with the pod that never starts."""

    def change(sections: dict[str, Any]) -> None:
        a_gpu_each(available=GPUS + 1)(sections)
        other_timeout(6)(sections)
        sections["model"]["loadSeconds"] = sections["rollout"]["pullSeconds"] = 1

    with changed(change, stack):
        said = up(stack, check=False)
    return said.returncode == 0, said.stdout + said.stderr


def names() -> set[str]:
    return {pod["metadata"]["name"] for pod in pods()}

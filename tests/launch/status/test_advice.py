"""The next step for reasons in the cluster's words, where two rows could take one."""

import pytest

from launch.status.advice import advice


@pytest.mark.parametrize(
    ("reason", "todo"),
    [
        ("NodeNotReady: Node is not ready", "a node fell silent"),
        ("1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }", "a node fell silent"),
        ("1 node(s) had untolerated taint {nvidia.com/gpu: present}", "the taints of the nodes"),
    ],
    ids=["event", "its taint", "a taint of choice"],
)
def test_a_lost_node_is_told_from_one_that_wants_no_such_pod(reason: str, todo: str) -> None:
    assert todo in advice(reason)

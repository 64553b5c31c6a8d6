import itertools

import pytest

from toolchain import binaries, setup


@pytest.mark.parametrize(
    ("has_own_cli", "has_own_cluster", "has_kubectl"), list(itertools.product([True, False], repeat=3))
)
def test_only_what_the_user_does_not_bring_is_built(
    *, has_own_cli: bool, has_own_cluster: bool, has_kubectl: bool
) -> None:
    wanted = {
        binary.name
        for binary in setup.wanted_binaries(
            has_own_cli=has_own_cli, has_own_cluster=has_own_cluster, has_kubectl=has_kubectl
        )
    }
    assert "buildkitd" in wanted
    assert ("pulumi" in wanted) == (not has_own_cli)
    assert ("coredns" in wanted) == (not has_own_cluster)
    assert ("kube" in wanted) == (not (has_own_cluster and has_kubectl))


def test_a_bare_machine_builds_everything_but_what_is_only_built_where_it_is_asked_for() -> None:
    wanted = setup.wanted_binaries(has_own_cli=False, has_own_cluster=False, has_kubectl=False)
    asked_for = {*binaries.DOCKER_HOST, *binaries.STAND_IN_NODES, *binaries.CONTROLLERS}
    assert set(wanted) == set(binaries.ALL) - asked_for

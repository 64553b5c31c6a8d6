"""A cluster that knows the custom resources of other projects, but runs none of their controllers."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.commands import run
from toolchain import definitions as sources
from toolchain.folders import locate

DEFINED = (
    "gateway-api/gateway.networking.k8s.io_httproutes.yaml",
    "gateway-api/gateway.networking.k8s.io_grpcroutes.yaml",
    "keda/keda.sh_scaledobjects.yaml",
    "kueue/kueue.x-k8s.io_localqueues.yaml",
    "prometheus-operator/monitoring.coreos.com_podmonitors.yaml",
    "prometheus-operator/monitoring.coreos.com_prometheusrules.yaml",
)


@pytest.fixture(scope="package")
def definitions(outputs: dict[str, Any]) -> Iterator[None]:
    """Give the cluster the definitions that those projects publish, and take them away again: other tests miss them on purpose."""
    assert outputs
    folder = sources.location(locate())
    files = [f"--filename={folder / name}" for name in DEFINED]
    try:
        # Server-side, because the last applied state of some would not fit into an annotation.
        run("bin/cluster", "kubectl", "apply", "--server-side", *files)
        run("bin/cluster", "kubectl", "wait", "--for=condition=Established", "--timeout=120s", *files)
        yield
    finally:
        run("bin/cluster", "kubectl", "delete", "--ignore-not-found", "--timeout=120s", *files)

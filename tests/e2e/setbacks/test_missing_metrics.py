"""Without a metrics API no pod is taken away, and the autoscaler says why (F15)."""

import os
import signal
from typing import Any

import pytest

from tests.e2e.commands import kubectl, run
from tests.e2e.setbacks.conftest import NAMESPACE, served_by
from tests.e2e.setbacks.interruptions import process_of
from tests.e2e.settings import changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

UNKNOWN = "--for=condition=ScalingActive=False"
ACTIVE = "--for=condition=ScalingActive=True"


def with_an_autoscaler(sections: dict[str, Any]) -> None:
    sections["autoscaling"] = {"minReplicas": 1, "maxReplicas": 2}


def test_without_figures_the_number_of_pods_stays(healthy: str) -> None:
    with changed(with_an_autoscaler, healthy):
        up(healthy)
        wait(ACTIVE)
        before = wanted()
        try:
            os.kill(process_of("metrics-server"), signal.SIGKILL)
            wait(UNKNOWN)
            assert wanted() == before
            assert served_by() == before
        finally:
            run("bin/cluster", "up")
        wait(ACTIVE)


def wait(condition: str) -> None:
    run(
        "bin/cluster", "kubectl", "wait", condition, "hpa/mnist", f"--namespace={NAMESPACE}", "--timeout=240s"
    )


def wanted() -> int:
    return int(kubectl("get", "deployment", "mnist", namespace=NAMESPACE)["spec"]["replicas"])

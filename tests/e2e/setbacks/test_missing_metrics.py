"""Without a metrics API no pod is taken away, idle as they are, and the autoscaler says why (F15)."""

import os
import signal
import time
from typing import Any

import pytest

from tests.e2e.commands import kubectl, run
from tests.e2e.setbacks.conftest import NAMESPACE, served_by
from tests.e2e.setbacks.interruptions import process_of
from tests.e2e.settings import changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

UNKNOWN = "--for=condition=ScalingActive=False"
ACTIVE = "--for=condition=ScalingActive=True"
SYNC_SECONDS = 5
"""How often the autoscaler of the local cluster looks."""
LOOKS = 4


def with_an_autoscaler(sections: dict[str, Any]) -> None:
    sections["autoscaling"] = {"minReplicas": 1, "maxReplicas": 2, "scaleDownSeconds": 1}


def test_without_figures_no_pod_is_taken_away_and_with_them_it_is(healthy: str) -> None:
    with changed(with_an_autoscaler, healthy):
        up(healthy)
        wait(ACTIVE)
        try:
            os.kill(process_of("metrics-server"), signal.SIGKILL)
            wait(UNKNOWN)
            run(
                "bin/cluster",
                "kubectl",
                "scale",
                "deployment/mnist",
                "--replicas=2",
                f"--namespace={NAMESPACE}",
            )
            assert served_by() == 2
            time.sleep(LOOKS * SYNC_SECONDS)  # nothing is waited for: nothing may happen
            assert wanted() == 2
        finally:
            run("bin/cluster", "up")
        wait("--for=jsonpath={.spec.replicas}=1", "deployment/mnist")


def wait(condition: str, what: str = "hpa/mnist") -> None:
    run("bin/cluster", "kubectl", "wait", condition, what, f"--namespace={NAMESPACE}", "--timeout=240s")


def wanted() -> int:
    return int(kubectl("get", "deployment", "mnist", namespace=NAMESPACE)["spec"]["replicas"])

"""Probes and drain: every number with its argument, and the sums that follow from them.

The API layer answers three questions on its monitoring port, which is neither REST nor gRPC, so that a flood of clients that fills
the connection limit cannot make a pod look dead. `/livez`: the event loop turns. `/readyz`: every required version is loaded and
warm, and the pod is not draining. A pod ends in this order:

    deleted ── preStop sleep ──> SIGTERM ── drain ──> /readyz says no, requests still answered ── grace ──> exit 0 ── margin ──> SIGKILL
"""

import math
from dataclasses import dataclass
from typing import Final

from pulumi_kubernetes.core.v1 import (
    HTTPGetActionArgs,
    LifecycleArgs,
    LifecycleHandlerArgs,
    ProbeArgs,
    SleepActionArgs,
)

MONITORING_PORT_NAME: Final = "monitoring"

ENDPOINT_REMOVAL_SECONDS: Final = 5
"""preStop sleep. Deletion and the removal of the pod from every node's Service rules start together; until the slowest node has
heard of it, new connections still arrive. Seconds cover that; a shorter sleep shows as refused connections in a rollout."""

DRAIN_SECONDS: Final = 3
"""After SIGTERM the server tells long-lived connections to go (HTTP `Connection: close`, HTTP/2 GOAWAY) and still answers them."""

EXIT_MARGIN_SECONDS: Final = 5
"""Room to close sessions and flush logs before SIGKILL. A normal exit uses almost none of it."""

STARTUP_PERIOD_SECONDS: Final = 1
"""Loading is what makes an added pod late, so it is looked at every second: a 5 s period adds 2.5 s to every start."""

READINESS_PERIOD_SECONDS: Final = 5
READINESS_FAILURES: Final = 2
"""Two misses of 2 s: one slow answer (a garbage collection, a CPU throttle) does not take a good pod out."""

LIVENESS_PERIOD_SECONDS: Final = 20
LIVENESS_FAILURES: Final = 3
"""A restart throws away a loaded model, so only a loop that has stood still for a minute is worth one."""

CONTROLLER_SECONDS: Final = 15
"""Time for controllers to notice and to write a status, added before Pulumi gives up, so that Kubernetes' own reason is there to show."""


_DELETION_SECONDS: Final = 600
"""Pulumi's own wait. Only a model whose requests may take longer is waited for longer."""


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """The times of one pod, and of a rollout of several, one after another."""

    load_seconds: int = 20
    """Container start to ready."""
    request_timeout_seconds: int = 30
    """Longest running request."""
    pull_seconds: int = 60
    """Scheduling and image pull."""
    ready_seconds: int = 5
    """minReadySeconds."""
    waits_for_old_pod: bool = False
    """Whether a new pod starts only when an old one is gone (no spare GPU)."""

    @property
    def termination_grace_seconds(self) -> int:
        """From deletion to SIGKILL: sleep, drain, the longest request, and a margin."""
        return ENDPOINT_REMOVAL_SECONDS + DRAIN_SECONDS + self.request_timeout_seconds + EXIT_MARGIN_SECONDS

    @property
    def progress_deadline_seconds(self) -> int:
        """The longest wait for one pod that is still normal; Kubernetes calls the rollout stuck after it."""
        step = self.pull_seconds + self.load_seconds + self.ready_seconds
        return step + (self.termination_grace_seconds if self.waits_for_old_pod else 0) + CONTROLLER_SECONDS

    @property
    def deletion_seconds(self) -> int:
        """How long Pulumi waits for a Deployment and its pods to go, all at once."""
        return max(_DELETION_SECONDS, self.termination_grace_seconds + CONTROLLER_SECONDS)

    def await_seconds(self, replicas: int) -> int:
        """How long Pulumi waits for `replicas` pods: one full step, then the others, whose image is on most nodes already."""
        further = self.load_seconds + self.ready_seconds
        further += self.termination_grace_seconds if self.waits_for_old_pod else 0
        return self.progress_deadline_seconds + further * (replicas - 1) + CONTROLLER_SECONDS


def startup_probe(load_seconds: int) -> ProbeArgs:
    """Hold the other probes back until the model answers; the container is restarted when it has not within `load_seconds`."""
    failures = math.ceil(load_seconds / STARTUP_PERIOD_SECONDS)
    return ProbeArgs(
        http_get=_get("/readyz"),
        period_seconds=STARTUP_PERIOD_SECONDS,
        timeout_seconds=1,
        failure_threshold=failures,
    )


def readiness_probe() -> ProbeArgs:
    """Send requests only to a pod whose every required version is loaded, and that is not draining."""
    return ProbeArgs(
        http_get=_get("/readyz"),
        period_seconds=READINESS_PERIOD_SECONDS,
        timeout_seconds=2,
        failure_threshold=READINESS_FAILURES,
    )


def liveness_probe() -> ProbeArgs:
    """Restart a process whose event loop stands still. Never asks for the model: a bad version must not become a restart loop."""
    return ProbeArgs(
        http_get=_get("/livez"),
        period_seconds=LIVENESS_PERIOD_SECONDS,
        timeout_seconds=5,
        failure_threshold=LIVENESS_FAILURES,
    )


def lifecycle() -> LifecycleArgs:
    """Sleep before SIGTERM, by the kubelet itself: the image needs no shell for it (Kubernetes 1.30)."""
    return LifecycleArgs(
        pre_stop=LifecycleHandlerArgs(sleep=SleepActionArgs(seconds=ENDPOINT_REMOVAL_SECONDS))
    )


def _get(path: str) -> HTTPGetActionArgs:
    return HTTPGetActionArgs(path=path, port=MONITORING_PORT_NAME)

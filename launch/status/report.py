"""The answer of `bin/status` as plain values: what is printed with --json, and what the screen is drawn from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that is not as it should be, and the next step."""

    where: str
    """The object, such as `pod mnist-5d8f`."""
    what: str
    """The cluster's own words."""
    todo: str
    """What to do, with the command to type."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The cluster that the stack is for."""

    context: str
    state: str
    """`running`, `absent` (this machine's has not been started), `damaged`, or `unreachable`."""
    todo: str = ""
    """Empty when it runs."""


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod of a model server."""

    name: str
    model: str
    version: str
    """Version that its label says; empty where there is none."""
    is_ready: bool
    phase: str
    """`Pending`, `Running`, …, or `Terminating`."""
    restarts: int
    reasons: tuple[str, ...]
    """Why it is not ready, in the cluster's words; empty when it is."""


@dataclass(frozen=True, kw_only=True)
class Autoscaler:
    """The figures of a HorizontalPodAutoscaler."""

    name: str
    pods: int
    wanted_pods: int
    min_pods: int
    max_pods: int
    metrics: tuple[str, ...]
    """Such as `cpu 12 % of 70 %`; `unknown` where nothing has been measured."""
    reasons: tuple[str, ...]
    """Why it cannot scale, or is held at a bound."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model: what the stack declares, and what its pods were told to serve."""

    name: str
    version: int
    digest: str
    image: str
    accuracy: float | None
    rest_url: str
    grpc_target: str
    deployment: str
    """Name of its Deployment, which is also that of its Service."""
    ready_pods: int = 0
    wanted_pods: int = 0
    served_digest: str = ""
    """Digest in the Deployment's pod template; empty where there is no Deployment."""

    def as_served(self, *, digest: str, ready_pods: int, wanted_pods: int) -> Model:
        """Return the model with what its Deployment says."""
        return dataclasses.replace(self, served_digest=digest, ready_pods=ready_pods, wanted_pods=wanted_pods)


@dataclass(frozen=True, kw_only=True)
class Report:
    """All of it."""

    stack: str
    cluster: Cluster
    namespace: str = ""
    models: tuple[Model, ...] = ()
    pods: tuple[Pod, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    problems: tuple[Problem, ...] = ()
    """What stands against all being well now."""
    recent_warnings: tuple[Problem, ...] = ()
    """The newest warnings among the cluster's events, which may be over."""

    @property
    def is_well(self) -> bool:
        """Whether everything that is declared runs."""
        return self.cluster.state == "running" and bool(self.models) and not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values, `is_well` included."""
        return {"is_well": self.is_well, **dataclasses.asdict(self)}

"""How a new version takes over where GPUs are few: the choice, and the sentence that explains it.

    a GPU is free for one pod more          surge: the new pod starts beside the old ones (maxSurge 1, maxUnavailable 0)
    none is free, or nobody knows           in place: an old pod goes first, its GPU takes the new one (maxSurge 0, maxUnavailable 1)

Kubernetes' default, a quarter of each, adds the new pod first; where no GPU is free it waits for ever, and the rollout with it.
"""

from dataclasses import dataclass
from typing import Final

from components.config import ServedModel
from components.plan import canary_reserve, pod_lifecycle, replica_bounds


@dataclass(frozen=True, kw_only=True)
class Takeover:
    """One strategy of a rolling update, with its reason."""

    max_surge: int
    max_unavailable: int
    reason: str
    """What it means for clients, and what it follows from."""


BESIDE: Final = Takeover(max_surge=1, max_unavailable=0, reason="a new version starts beside the old one")
"""What suits a model whose nodes have room for one pod more."""


def takeover(served: ServedModel) -> Takeover:
    """Choose the strategy of a model's rollouts."""
    if not pod_lifecycle(served).waits_for_old_pod:
        return Takeover(max_surge=1, max_unavailable=0, reason=_surge_reason(served))
    return Takeover(max_surge=0, max_unavailable=1, reason=_in_place_reason(served))


def _surge_reason(served: ServedModel) -> str:
    if not served.gpu.count:
        return "a new version starts beside the old one: CPU nodes have room for one pod more"
    most = replica_bounds(served)[1] + canary_reserve(served)
    left = served.gpu.available - most * served.gpu.count
    return f"a new version starts beside the old one: gpu.available leaves {left} free at {most} pods"


def _in_place_reason(served: ServedModel) -> str:
    fewest, most = replica_bounds(served)
    most += canary_reserve(served)
    times = pod_lifecycle(served)
    seconds = times.termination_grace_seconds + times.pull_seconds + times.load_seconds + times.ready_seconds
    why = (
        f"gpu.available leaves none free at {most} pods"
        if served.gpu.available
        else "gpu.available is not known"
    )
    effect = (
        f"with one pod nothing answers for up to {seconds} s; set autoscaling.minReplicas to 2 or more to avoid it"
        if fewest == 1
        else f"one of the pods is missing at a time, for up to {seconds} s"
    )
    return f"a new version takes over in place: {why}, so an old pod goes before a new one starts; {effect}"

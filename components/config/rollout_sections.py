"""The keys of a model's rollouts: how a new version takes over, and how one is tried on a share of the traffic before that."""

from dataclasses import dataclass
from typing import ClassVar

from components.config.fields import check_limits, setting

_WEEK_SECONDS = 604_800


@dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """How a new version takes over, and how long that may take."""

    SECTION: ClassVar[str] = "rollout"

    pull_seconds: int = setting(
        60, "Longest time for scheduling a pod and pulling its image.", minimum=1, maximum=_WEEK_SECONDS
    )
    ready_seconds: int = setting(
        5, "A new pod must stay ready this long before it counts.", minimum=1, maximum=3_600
    )
    history: int = setting(3, "Former versions that are kept for a rollback.", minimum=1, maximum=100)
    spread: str = setting(
        "preferred",
        "Pods on different hosts: required (never two on one host) or preferred.",
        choices=("required", "preferred"),
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)


@dataclass(frozen=True, kw_only=True)
class CanaryConfig:
    """A version that is tried beside the stable one; none while `source` is empty."""

    SECTION: ClassVar[str] = "canary"

    source: str = setting(
        "", "Trained model, or version folder exported before, to try beside model.source; empty for none."
    )
    version: int = setting(0, "Its version number; 0 as for model.version.", minimum=0, maximum=2**62)
    phase: str = setting(
        "trial",
        "What it is: on trial, promoted (the stable pods run it), or aborted (nothing runs it); all three keep both images.",
        choices=("trial", "promoted", "aborted"),
    )
    weight_percent: int = setting(
        10, "Share of the requests that it answers while on trial; 0 for none.", minimum=0, maximum=99
    )
    shadow_percent: int = setting(
        0,
        "Share of the requests that are also sent to it, and whose answers are thrown away; needs exposure.gateway.",
        minimum=0,
        maximum=100,
    )
    distance_permille: int = setting(
        500,
        "Promoted only if its answers to the golden requests differ by no more, in thousandths of the stable version's; 0 for any.",
        minimum=0,
        maximum=1_000_000,
    )
    agreement_percent: int = setting(
        80,
        "Promoted only if it names the same winner in at least this share of the golden rows, where classes are ranked.",
        minimum=0,
        maximum=100,
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)

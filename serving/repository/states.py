"""The life of a model version.

    START ──> LOADING ──> AVAILABLE ──> UNLOADING ──> END
                 │                                     ▲
                 └────────── loading failed ───────────┘

Numbers are those of tensorflow_serving/apis/get_model_status.proto. Only AVAILABLE versions answer; a version
that failed stays END with its error until it changes on disk.
"""

import dataclasses
import enum


class State(enum.IntEnum):
    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class VersionStatus:
    """Where one version stands."""

    version: int
    state: State
    error: str = ""
    """Why it is END, when loading failed."""

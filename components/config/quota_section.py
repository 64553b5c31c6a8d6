"""The keys of what a whole stack may ask of its cluster."""

from dataclasses import dataclass
from typing import ClassVar

from components.config.fields import check_limits, setting


@dataclass(frozen=True, kw_only=True)
class QuotaConfig:
    """What all models of the stack may ask for together; a ResourceQuota of the namespace, and checked in preview."""

    SECTION: ClassVar[str] = "quota"

    pods: int = setting(0, "Most pods; 0 for no limit.", minimum=0, maximum=150_000)
    cpu_cores: int = setting(0, "Most CPU cores requested; 0 for no limit.", minimum=0, maximum=10_000_000)
    memory_gib: int = setting(
        0, "Most GiB of memory requested; 0 for no limit.", minimum=0, maximum=10_000_000
    )
    gpus: int = setting(
        0,
        "Most GPUs of each kind requested (gpu.resource or gpu.deviceClass); 0 for no limit.",
        minimum=0,
        maximum=1_000_000,
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)

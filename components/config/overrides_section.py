"""The key for what no other key says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from components.config.fields import check_limits, setting
from components.overrides import check_overrides


@dataclass(frozen=True, kw_only=True)
class OverridesConfig:
    """Fields of Kubernetes objects that no key covers, for every object of a kind in the stack."""

    SECTION: ClassVar[str] = "overrides"

    objects: Mapping[str, Any] = setting(
        {}, "Fields by kind, as they stand in a manifest, merged into every object of that kind."
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)
        check_overrides(self.objects)

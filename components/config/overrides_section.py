"""The key for what no other key says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from components.config.fields import check_limits, did_you_mean, setting
from components.errors import ConfigError
from components.overrides import KINDS, check_overrides


@dataclass(frozen=True, kw_only=True)
class OverridesConfig:
    """Fields of Kubernetes objects that no key covers, for every object of a kind in the stack."""

    SECTION: ClassVar[str] = "overrides"

    objects: Mapping[str, Any] = setting(
        {}, "Fields by kind, as they stand in a manifest, merged into every object of that kind."
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)
        for kind in self.objects:
            if kind not in KINDS:
                raise ConfigError(f"unknown kind overrides.objects.{kind}{did_you_mean(str(kind), KINDS)}")
        check_overrides(self.objects)

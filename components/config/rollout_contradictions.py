"""Contradictions of a canary with the rest of its model, and of its names with those of other models."""

from components import naming
from components.config.model_sections import ServedModel
from components.errors import ConfigError


def check_canaries(models: tuple[ServedModel, ...]) -> None:
    """Raise ConfigError for a canary that is called as another model."""
    instances = {naming.dns_label(served.model.name): served.model.name for served in models}
    for served in models:
        taken = instances.get(naming.canary(naming.dns_label(served.model.name)))
        if served.canary.source and taken:
            raise ConfigError(
                f"model {taken} is called as the canary of model {served.model.name} would be; rename it, or leave canary.source out"
            )


def check_canary(served: ServedModel) -> None:
    """Raise ConfigError for the first contradiction of one model's canary."""
    canary = served.canary
    if not canary.source and canary.phase != "trial":
        raise ConfigError(
            f"canary.phase is {canary.phase} but canary.source is not set; name the version that it speaks of, or leave the phase out"
        )
    if canary.source and canary.source == served.model.source:
        raise ConfigError(
            f"canary.source is {canary.source}, which is model.source already; name another version, or leave it out"
        )
    if canary.shadow_percent and not served.exposure.gateway:
        raise ConfigError(
            f"canary.shadowPercent is {canary.shadow_percent}, but only a Gateway copies requests; set exposure.gateway, or leave it out"
        )

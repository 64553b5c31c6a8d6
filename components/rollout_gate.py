"""The gate before promotion: a version that breaks its clients, or whose answers are too far away, never becomes the stable one.

Asked in every preview, while the canary is on trial as well, so that nobody learns it at the promotion: what the canary changes in the
contract, and how far its answers to the stable version's golden requests are from those that were recorded. The contract holds already
for the trial, because part of the clients are answered by the canary then.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pulumi

from components.config import CanaryConfig, PlatformConfig, ServedModel
from components.contracts import agree, contract_of
from components.rollout import is_on_trial, running
from model_export.artifact import ModelArtifact
from model_export.comparison import Comparison, compared
from model_export.errors import ExportError

_KEPT_IN: Final = ".comparisons"
"""Folder beside the version folders; hidden, so that no reader of the repository takes it for one."""


def judged(
    config: PlatformConfig, artifacts: Mapping[str, ModelArtifact], candidates: Mapping[str, ModelArtifact]
) -> dict[str, ModelArtifact]:
    """Return the version that the stable pods of each model run, after every canary was judged.

    Raises pulumi.RunError for a promotion that the golden requests speak against, or a canary that breaks the contract.
    """
    for served in config.served:
        name = served.model.name
        if name in candidates and served.canary.phase != "aborted":
            _judge(served, artifacts[name], candidates[name])
    return {
        served.model.name: running(served, artifacts[served.model.name], candidates.get(served.model.name))
        for served in config.served
    }


def objections(found: Comparison, limits: CanaryConfig) -> list[str]:
    """Return why a candidate should not be promoted, each with the key that would allow it; empty where nothing speaks against it."""
    return [*found.faults, *_beyond(found, limits)]


def _judge(served: ServedModel, stable: ModelArtifact, candidate: ModelArtifact) -> None:
    name = served.model.name
    before = {name: {"contract": contract_of(served.model, stable).to_json()}}
    agree(served.model, contract_of(served.model, candidate), before)
    try:
        found = compared(stable, candidate, kept_in=Path(served.model.repository) / name / _KEPT_IN)
    except ExportError as error:
        _object(served, [str(error)])
        return
    versions = f"canary {candidate.version} against stable {stable.version}"
    pulumi.log.info(f"model {name}: {versions}: {found.sentence()}")
    against = objections(found, served.canary)
    if against:
        _object(served, against)


def _object(served: ServedModel, reasons: list[str]) -> None:
    name, why = served.model.name, "; ".join(reasons)
    if is_on_trial(served):
        pulumi.log.warn(f"model {name}: the canary would not be promoted: {why}")
        return
    raise pulumi.RunError(
        f"model {name}: canary.phase is promoted, but its golden requests speak against it: {why}; set canary.phase to aborted, or "
        "change the limit if the difference is meant"
    )


def _beyond(found: Comparison, limits: CanaryConfig) -> Iterator[str]:
    permille = found.distance * 1_000
    if limits.distance_permille and permille > limits.distance_permille:
        yield f"{found.output} differs by {permille:.4g} thousandths, canary.distancePermille is {limits.distance_permille}"
    if found.agreement is not None and found.agreement * 100 < limits.agreement_percent:
        percent = f"{found.agreement:.1%}"
        yield f"only {percent} of the rows have the same winner, canary.agreementPercent is {limits.agreement_percent}"

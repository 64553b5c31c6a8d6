"""The gate before promotion: a version that breaks its clients, or whose answers are too far away, never becomes the stable one.

Asked in every preview, while the canary is on trial as well, so that nobody learns it at the promotion: what the canary changes in the
contract, and how far its answers to the stable version's golden requests are from those that were recorded. The contract holds already
for the trial, because part of the clients are answered by the canary then. A version that takes over without a trial is told of only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi

from components.config import CanaryConfig, PlatformConfig, ServedModel
from components.contracts import agree, contract_of, deployed_models
from components.rollout import is_on_trial, running
from model_export.artifact import MANIFEST_NAME, Manifest, ModelArtifact
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


def tell_distances(config: PlatformConfig, running: Mapping[str, ModelArtifact]) -> None:
    """Say how far each new version is from the one that is deployed, where that one's folder is still here.

    For a version that takes over without a trial: nothing stops it, but whoever reads the preview has seen the number.
    """
    deployed: pulumi.Output[Mapping[str, Any] | None] = deployed_models()
    for served in config.served:
        if not served.canary.source:
            _: pulumi.Output[None] = deployed.apply(_teller(served, running[served.model.name]))


def objections(found: Comparison, limits: CanaryConfig) -> list[str]:
    """Return why a candidate should not be promoted, each with the key that would allow it; empty where nothing speaks against it."""
    return [*found.faults, *_beyond(found, limits)]


def _teller(served: ServedModel, new: ModelArtifact) -> Callable[[Mapping[str, Any] | None], Awaitable[None]]:
    async def tell(models: Mapping[str, Any] | None) -> None:
        before = (models or {}).get(served.model.name, {})
        # The engine hands over every number as one with a fraction.
        old = _standing(served, new, int(before.get("model_version", 0)))
        if old is None or old.digest == new.digest:
            return
        try:
            # In a thread: the first comparison of two versions takes seconds, and resources are registered meanwhile.
            found = await asyncio.to_thread(compared, old, new, kept_in=_kept_in(served))
        except ExportError as error:
            pulumi.log.info(f"model {served.model.name}: not compared with the deployed version: {error}")
            return
        versions = f"new {new.version} against deployed {old.version}"
        pulumi.log.info(f"model {served.model.name}: {versions}: {found.sentence()}")
        against = objections(found, served.canary)
        if against:
            pulumi.log.warn(
                f"model {served.model.name}: as a canary it would not be promoted: {'; '.join(against)}"
            )

    return tell


def _standing(served: ServedModel, new: ModelArtifact, version: int) -> ModelArtifact | None:
    """Return the deployed version where its folder stands beside the new one, or in the repository."""
    for parent in (new.path.parent, Path(served.model.repository) / served.model.name):
        folder = parent / str(version)
        if (folder / MANIFEST_NAME).is_file():
            return ModelArtifact(path=folder, manifest=Manifest.read(folder))
    return None


def _kept_in(served: ServedModel) -> Path:
    return Path(served.model.repository) / served.model.name / _KEPT_IN


def _judge(served: ServedModel, stable: ModelArtifact, candidate: ModelArtifact) -> None:
    name = served.model.name
    before = {name: {"contract": contract_of(served.model, stable).to_json()}}
    agree(served.model, contract_of(served.model, candidate), before)
    try:
        found = compared(stable, candidate, kept_in=_kept_in(served))
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

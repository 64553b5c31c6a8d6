"""The contract of each model against the one that is deployed: told in every preview, refused where it would break clients.

The deployed contracts are the stack's own outputs of the last update. A refused change ends the preview; in an update it also holds the
Deployment back, because the pods wait for the contract that was agreed.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pulumi

from components.config import ModelConfig, PlatformConfig
from components.ownership import stack_identity
from model_export.artifact import ModelArtifact
from model_export.contract import Contract, Level, diff, read_contract, refuse_breaking, refuse_unsafe
from model_export.errors import ContractError

# A state file that is being written while the program reads it is whole again in a moment.
_READ_AGAIN_AFTER_SECONDS: Final = (0.05, 0.2, 1.0)


def agreed_contracts(
    config: PlatformConfig, artifacts: Mapping[str, ModelArtifact]
) -> dict[str, pulumi.Output[str]]:
    """Return the contract of each model as JSON, by name, once it is known to be safe to run and safe to change to.

    Raises pulumi.RunError at once for a model that reaches outside its graph; the outputs fail with one for a breaking change.
    """
    deployed = deployed_models()
    return {
        served.model.name: _agreed(
            served.model, contract_of(served.model, artifacts[served.model.name]), deployed
        )
        for served in config.served
    }


def deployed_models() -> pulumi.Output[Any]:
    """Return what the stack's last update exported of each model, by name; None before the first."""
    return pulumi.Output.from_input(_deployed_models())


def contract_of(model: ModelConfig, artifact: ModelArtifact) -> Contract:
    """Return the contract of a servable. Raises pulumi.RunError when it cannot be read or reaches outside its graph."""
    try:
        contract = read_contract(artifact.path)
        refuse_unsafe(contract, allowed_ops=model.allowed_ops)
    except ContractError as error:
        raise pulumi.RunError(f"model {model.name}: {error}") from error
    return contract


def agree(model: ModelConfig, contract: Contract, deployed: Mapping[str, Any] | None) -> str:
    """Say what changes against the deployed outputs, and return the new contract as JSON.

    Raises pulumi.RunError for a breaking change that `model.allowBreaking` does not allow.
    """
    before = (deployed or {}).get(model.name, {}).get("contract")
    if before:
        try:
            _compare(model, Contract.from_json(before, where="the deployed contract"), contract)
        except ContractError as error:
            raise pulumi.RunError(f"model {model.name}: {error}") from error
    return contract.to_json()


def _agreed(model: ModelConfig, contract: Contract, deployed: pulumi.Output[Any]) -> pulumi.Output[str]:
    return deployed.apply(lambda models: agree(model, contract, models))


def _compare(model: ModelConfig, before: Contract, after: Contract) -> None:
    difference = diff(before, after)
    if difference.level is Level.IDENTICAL:
        return
    for sentence in difference.sentences():
        pulumi.log.info(f"model {model.name}: {sentence}")
    refuse_breaking(difference, allow_breaking=model.allow_breaking)


async def _deployed_models() -> Mapping[str, Any] | None:
    name = stack_identity()
    for wait_seconds in _READ_AGAIN_AFTER_SECONDS:
        try:
            return await _models_of(name)
        except pulumi.RunError as error:
            pulumi.log.debug(f"{error}; again in {wait_seconds} s")
        await asyncio.sleep(wait_seconds)
    return await _models_of(name)


async def _models_of(stack: str) -> Mapping[str, Any] | None:
    try:
        found = await pulumi.runtime.invoke_async("pulumi:pulumi:readStackOutputs", {"name": stack})
    except Exception as error:  # the SDK raises nothing narrower for a call that the engine refuses
        raise pulumi.RunError(
            f"the contracts deployed by stack {stack} could not be read ({error}); see whether another update writes its state, "
            "and run the same command again"
        ) from error
    models: Mapping[str, Any] | None = found["outputs"].get("models")
    return models

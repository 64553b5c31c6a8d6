"""The contract of each model against the one that is deployed: told in every preview, refused where it would break clients.

The deployed contracts are the stack's own outputs of the last update. A refused change ends the preview; in an update it also holds the
Deployment back, because the pods wait for the contract that was agreed.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.config import ModelConfig, PlatformConfig
from model_export.artifact import ModelArtifact
from model_export.contract import Contract, Level, diff, read_contract, refuse_breaking, refuse_unsafe
from model_export.errors import ContractError


def agreed_contracts(
    config: PlatformConfig, artifacts: Mapping[str, ModelArtifact]
) -> dict[str, pulumi.Output[str]]:
    """Return the contract of each model as JSON, by name, once it is known to be safe to run and safe to change to.

    Raises pulumi.RunError at once for a model that reaches outside its graph; the outputs fail with one for a breaking change.
    """
    deployed = _own_outputs().get_output("models")
    return {
        served.model.name: _agreed(
            served.model, contract_of(served.model, artifacts[served.model.name]), deployed
        )
        for served in config.served
    }


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


def _own_outputs() -> pulumi.StackReference:
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    return pulumi.StackReference("deployed", stack_name=name)

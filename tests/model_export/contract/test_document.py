"""A contract travels as one line of JSON and comes back the same."""

import dataclasses
import json
from pathlib import Path

import pytest

from model_export.contract import Contract, read_contract
from model_export.errors import ContractError
from tests.model_export.contract import protos


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return read_contract(protos.write(tmp_path, protos.doubling()))


def test_a_contract_comes_back_from_its_json(contract: Contract) -> None:
    assert Contract.from_json(contract.to_json()) == contract


def test_equal_contracts_are_equal_text_on_one_line(contract: Contract) -> None:
    again = dataclasses.replace(contract, ops=dict(reversed(contract.ops.items())))
    assert again.to_json() == contract.to_json()
    assert "\n" not in contract.to_json()


BROKEN = {
    "not JSON": "{",
    "not an object": "[]",
    "null": "null",
    "nested without end": "[" * 100_000,
    "no format": "{}",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_contract_is_refused_in_words(text: str) -> None:
    with pytest.raises(ContractError, match="expected a model contract in JSON, received"):
        Contract.from_json(text)


def test_another_format_is_named(contract: Contract) -> None:
    facts = json.loads(contract.to_json()) | {"format_version": 9}
    with pytest.raises(ContractError, match="expected contract format 1, received 9"):
        Contract.from_json(json.dumps(facts))


@pytest.mark.parametrize(
    "name", [field.name for field in dataclasses.fields(Contract) if field.name != "format_version"]
)
def test_a_missing_fact_is_named(contract: Contract, name: str) -> None:
    facts = json.loads(contract.to_json())
    del facts[name]
    with pytest.raises(ContractError, match=f"lacks or mistypes '{name}'"):
        Contract.from_json(json.dumps(facts))

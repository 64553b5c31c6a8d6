"""A model that reaches outside its graph is refused, unless each operation is allowed by name."""

from pathlib import Path

import pytest

from model_export.contract import read_contract, refuse_unsafe
from model_export.contract.safety import (
    CHECKPOINT_OPS,
    FILE_OPS,
    HOST_OPS,
    PYTHON_OPS,
    VOCABULARY_OPS,
    registered_ops,
)
from model_export.errors import ContractError
from tests.model_export.contract import protos


@pytest.mark.parametrize("op", ["ReadFile", "WriteFile", "PyFunc", "PrintV2", "MyCompanyOp"])
def test_an_unsafe_operation_is_refused_by_name_and_allowed_by_name(tmp_path: Path, op: str) -> None:
    contract = read_contract(protos.write(tmp_path, protos.doubling(protos.node("n", op))))
    with pytest.raises(ContractError, match=rf"received {op} \(.*allowed_ops"):
        refuse_unsafe(contract)
    refuse_unsafe(contract, allowed_ops=[op])


def test_one_allowed_operation_does_not_allow_another(tmp_path: Path) -> None:
    contract = read_contract(
        protos.write(tmp_path, protos.doubling(protos.node("a", "ReadFile"), protos.node("b", "PyFunc")))
    )
    with pytest.raises(ContractError, match="received PyFunc"):
        refuse_unsafe(contract, allowed_ops=["ReadFile"])


def test_a_graph_that_only_computes_passes(tmp_path: Path) -> None:
    refuse_unsafe(read_contract(protos.write(tmp_path, protos.doubling())))


def test_every_listed_operation_is_one_that_tensorflow_knows() -> None:
    listed = FILE_OPS | PYTHON_OPS | HOST_OPS | CHECKPOINT_OPS | VOCABULARY_OPS
    assert listed - registered_ops() == frozenset()

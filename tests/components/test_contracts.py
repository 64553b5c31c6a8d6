"""The contract gate: silent for equal models, refusing for broken ones, and open where asked."""

import pulumi
import pytest

from components import contracts
from tests.components import examples
from tests.model_export.contract import protos

SCORES = {"scores": protos.tensor_info("scores:0", 1, None, 4)}


def contract(tmp_path, content: bytes):
    (served,) = examples.config().served
    return contracts.contract_of(served.model, examples.artifact(protos.write(tmp_path, content)))


def model(**changes):
    (served,) = examples.config(model=changes).served
    return served.model


@pytest.fixture
def old(tmp_path):
    return contract(tmp_path / "old", protos.doubling())


@pytest.fixture
def broken(tmp_path):
    wide = {"image": protos.tensor_info("image:0", 1, None, 8)}
    return contract(tmp_path / "new", protos.saved_model(protos.signature("serving_default", wide, SCORES)))


def deployed(before) -> dict:
    return {"mnist": {"contract": before.to_json()}}


@pytest.mark.parametrize(
    "outputs", [None, {}, {"other": {}}, {"mnist": {}}], ids=["never", "empty", "another", "before contracts"]
)
def test_a_model_that_was_never_deployed_is_agreed(old, outputs):
    assert contracts.agree(model(), old, outputs) == old.to_json()


def test_an_equal_model_is_agreed(old):
    assert contracts.agree(model(), old, deployed(old)) == old.to_json()


def test_a_breaking_model_is_refused_with_the_field_and_the_way_out(old, broken):
    with pytest.raises(pulumi.RunError, match=r"inputs\.image\.shape.*allowBreaking"):
        contracts.agree(model(), broken, deployed(old))


def test_a_breaking_model_is_agreed_where_the_stack_allows_it(old, broken):
    assert contracts.agree(model(allowBreaking=True), broken, deployed(old)) == broken.to_json()


def test_a_damaged_record_of_the_deployed_contract_is_a_sentence(old):
    with pytest.raises(pulumi.RunError, match="model mnist: the deployed contract"):
        contracts.agree(model(), old, {"mnist": {"contract": "no json"}})


def test_an_operation_that_the_stack_allows_is_agreed(tmp_path):
    content = protos.doubling(protos.node("vocabulary", "ReadFile", "image"))
    artifact = examples.artifact(protos.write(tmp_path, content))
    assert contracts.contract_of(model(allowedOps=["ReadFile"]), artifact)
    with pytest.raises(pulumi.RunError, match="ReadFile"):
        contracts.contract_of(model(), artifact)

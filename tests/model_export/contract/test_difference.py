"""What may change under a client's feet, and what may not: the table of compatibility."""

from dataclasses import replace

import pytest

from model_export.artifact import Signature, TensorSpec
from model_export.contract import Contract, Level, diff, explain_difference, refuse_breaking
from model_export.errors import ContractError

IMAGE = TensorSpec(name="image", dtype="float32", shape=(None, 28, 28))
SCORES = TensorSpec(name="scores", dtype="float32", shape=(None, 10))
EXTRA = TensorSpec(name="extra", dtype="int64", shape=(None,))
ASK = Signature(name="serving_default", inputs=(IMAGE,), outputs=(SCORES,))
DEPLOYED = Contract(
    signatures=(ASK,),
    writer_version="2.21.0",
    tags=("serve",),
    ops={"MatMul": 1},
    custom_ops=(),
    file_ops=(),
    python_ops=(),
    host_ops=(),
    assets=(),
    constant_bytes=100,
    variable_bytes=0,
    node_count=1,
    digest="sha256:" + "a" * 64,
)


def _input(**changes: object) -> Contract:
    return replace(DEPLOYED, signatures=(replace(ASK, inputs=(replace(IMAGE, **changes),)),))


def _output(**changes: object) -> Contract:
    return replace(DEPLOYED, signatures=(replace(ASK, outputs=(replace(SCORES, **changes),)),))


DEFAULT = "signatures.serving_default"
TABLE = {
    "nothing": (DEPLOYED, Level.IDENTICAL, None),
    "other weights": (replace(DEPLOYED, digest="sha256:" + "b" * 64), Level.NUMERICS_ONLY, "digest"),
    "other operations": (replace(DEPLOYED, ops={"Conv2D": 1}), Level.NUMERICS_ONLY, "ops"),
    "another writer": (replace(DEPLOYED, writer_version="2.22.0"), Level.NUMERICS_ONLY, "writer_version"),
    "weights grown": (replace(DEPLOYED, constant_bytes=200), Level.NUMERICS_ONLY, "constant_bytes"),
    "a vocabulary more": (replace(DEPLOYED, assets=("vocab.txt",)), Level.NUMERICS_ONLY, "assets"),
    "a signature more": (
        replace(DEPLOYED, signatures=(ASK, replace(ASK, name="top_5"))),
        Level.ADDITIVE,
        "signatures.top_5",
    ),
    "a signature less": (replace(DEPLOYED, signatures=()), Level.BREAKING, DEFAULT),
    "a signature renamed": (
        replace(DEPLOYED, signatures=(replace(ASK, name="serve"),)),
        Level.BREAKING,
        DEFAULT,
    ),
    "another method": (
        replace(DEPLOYED, signatures=(replace(ASK, method="tensorflow/serving/classify"),)),
        Level.BREAKING,
        f"{DEFAULT}.method",
    ),
    "an input more": (
        replace(DEPLOYED, signatures=(replace(ASK, inputs=(IMAGE, EXTRA)),)),
        Level.BREAKING,
        f"{DEFAULT}.inputs.extra",
    ),
    "an input less": (
        replace(DEPLOYED, signatures=(replace(ASK, inputs=()),)),
        Level.BREAKING,
        f"{DEFAULT}.inputs.image",
    ),
    "an input renamed": (_input(name="picture"), Level.BREAKING, f"{DEFAULT}.inputs.image"),
    "an input of another type": (_input(dtype="int32"), Level.BREAKING, f"{DEFAULT}.inputs.image.dtype"),
    "an input of any width": (
        _input(shape=(None, None, 28)),
        Level.ADDITIVE,
        f"{DEFAULT}.inputs.image.shape",
    ),
    "an input of any rank": (_input(shape=None), Level.ADDITIVE, f"{DEFAULT}.inputs.image.shape"),
    "an input of one batch size": (
        _input(shape=(1, 28, 28)),
        Level.BREAKING,
        f"{DEFAULT}.inputs.image.shape",
    ),
    "an input of another size": (
        _input(shape=(None, 32, 32)),
        Level.BREAKING,
        f"{DEFAULT}.inputs.image.shape",
    ),
    "an input of another rank": (_input(shape=(None, 784)), Level.BREAKING, f"{DEFAULT}.inputs.image.shape"),
    "an input more that has a default": (
        replace(DEPLOYED, signatures=(replace(ASK, inputs=(IMAGE, replace(EXTRA, default="sha256:1"))),)),
        Level.ADDITIVE,
        f"{DEFAULT}.inputs.extra",
    ),
    "an input with a default now": (
        _input(default="sha256:1"),
        Level.ADDITIVE,
        f"{DEFAULT}.inputs.image.default",
    ),
    "an output more": (
        replace(DEPLOYED, signatures=(replace(ASK, outputs=(SCORES, EXTRA)),)),
        Level.ADDITIVE,
        f"{DEFAULT}.outputs.extra",
    ),
    "an output less": (
        replace(DEPLOYED, signatures=(replace(ASK, outputs=()),)),
        Level.BREAKING,
        f"{DEFAULT}.outputs.scores",
    ),
    "an output of another type": (
        _output(dtype="float16"),
        Level.BREAKING,
        f"{DEFAULT}.outputs.scores.dtype",
    ),
    "an output of more classes": (
        _output(shape=(None, 11)),
        Level.BREAKING,
        f"{DEFAULT}.outputs.scores.shape",
    ),
    "an output of a known batch": (_output(shape=(1, 10)), Level.ADDITIVE, f"{DEFAULT}.outputs.scores.shape"),
    "an output of any width": (
        _output(shape=(None, None)),
        Level.BREAKING,
        f"{DEFAULT}.outputs.scores.shape",
    ),
    "an output of any rank": (_output(shape=None), Level.BREAKING, f"{DEFAULT}.outputs.scores.shape"),
}


@pytest.mark.parametrize(("new", "level", "field"), TABLE.values(), ids=TABLE.keys())
def test_each_change_has_its_level_and_names_its_field(
    new: Contract, level: Level, field: str | None
) -> None:
    difference = diff(DEPLOYED, new)
    assert difference.level is level
    assert [change.field for change in difference.changes][:1] == ([] if field is None else [field])


@pytest.mark.parametrize(
    ("new", "level"), [("sha256:2", Level.NUMERICS_ONLY), (None, Level.BREAKING)], ids=["changed", "gone"]
)
def test_a_default_that_clients_rely_on_is_compared(new: str | None, level: Level) -> None:
    (change,) = diff(_input(default="sha256:1"), _input(default=new)).changes
    assert (change.level, change.field) == (level, f"{DEFAULT}.inputs.image.default")


def test_the_worst_change_comes_first_and_decides() -> None:
    new = replace(_input(dtype="int32"), digest="sha256:" + "b" * 64, writer_version="2.22.0")
    levels = [change.level for change in diff(DEPLOYED, new).changes]
    assert levels == [Level.BREAKING, Level.NUMERICS_ONLY, Level.NUMERICS_ONLY]


def test_what_widens_one_way_breaks_the_other_way() -> None:
    wider = _input(shape=(None, None, None))
    assert (diff(DEPLOYED, wider).level, diff(wider, DEPLOYED).level) == (Level.ADDITIVE, Level.BREAKING)


def test_a_breaking_change_stops_unless_it_is_allowed() -> None:
    difference = diff(DEPLOYED, _input(dtype="int32"))
    with pytest.raises(ContractError, match=r"inputs\.image\.dtype: was float32, is int32.*allowBreaking"):
        refuse_breaking(difference, allow_breaking=False)
    refuse_breaking(difference, allow_breaking=True)


@pytest.mark.parametrize(
    "new", [DEPLOYED, _input(shape=None), replace(DEPLOYED, digest="x")], ids=["same", "wider", "weights"]
)
def test_any_other_change_goes_through(new: Contract) -> None:
    refuse_breaking(diff(DEPLOYED, new), allow_breaking=False)


def test_a_difference_is_explained_from_stored_json() -> None:
    (line,) = explain_difference(DEPLOYED.to_json(), _output(shape=(None, 11)).to_json())
    assert line == (
        "breaking: signatures.serving_default.outputs.scores.shape: was [?, 10], is [?, 11]; "
        "answers take a form that clients do not know"
    )


def test_no_difference_is_explained_as_well() -> None:
    assert explain_difference(DEPLOYED.to_json(), DEPLOYED.to_json()) == [
        "identical: the servable is the deployed one, byte for byte"
    ]

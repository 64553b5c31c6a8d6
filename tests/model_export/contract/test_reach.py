"""Operations that reach outside the graph: found wherever they hide, and judged by where they can run from."""

from pathlib import Path

import pytest

from model_export.contract import read_contract
from model_export.errors import ContractError
from tests.model_export.contract import protos
from tests.model_export.contract.protos import node

READ_FILE = node("read", "ReadFile", "name")
HIDING_PLACES = {
    "beside the model": protos.doubling(READ_FILE),
    "in a function": protos.doubling(functions=(protos.function("f", READ_FILE),)),
    "in a second servable of the file": protos.doubling() + protos.saved_model((2, protos.graph(READ_FILE))),
    "behind a tag written longer than it need be": protos.saved_model(
        (2, b"\x8a\x80\x00" + protos.varint(len(READ_FILE)) + READ_FILE)
    ),
    "in a graph given twice": protos.saved_model(
        (2, protos.graph(node("a", "NoOp"))), (2, protos.graph(READ_FILE))
    ),
    "behind a name given twice": protos.saved_model(
        (2, protos.graph(protos.message((1, "n"), (2, "Mul"), (2, "ReadFile"))))
    ),
}


@pytest.mark.parametrize("content", HIDING_PLACES.values(), ids=HIDING_PLACES.keys())
def test_an_operation_that_reads_files_cannot_hide(tmp_path: Path, content: bytes) -> None:
    try:
        assert read_contract(protos.write(tmp_path, content)).file_ops == ("ReadFile",)
    except ContractError as error:
        assert "one meta graph" in str(error)


KINDS = {
    "PyFunc": "python_ops",
    "EagerPyFunc": "python_ops",
    "WriteFile": "file_ops",
    "MatchingFiles": "file_ops",
    "TFRecordDatasetV2": "file_ops",
    "PrintV2": "host_ops",
    "Abort": "host_ops",
    "MyCompanyOp": "custom_ops",
}


@pytest.mark.parametrize(("op", "kind"), KINDS.items())
def test_an_operation_that_reaches_outside_is_sorted_by_what_it_does(
    tmp_path: Path, op: str, kind: str
) -> None:
    contract = read_contract(protos.write(tmp_path, protos.doubling(node("n", op))))
    found = {name: getattr(contract, name) for name in ("file_ops", "python_ops", "host_ops", "custom_ops")}
    assert found == {name: ((op,) if name == kind else ()) for name in found}


def test_a_call_of_a_function_by_its_name_is_not_a_custom_operation(tmp_path: Path) -> None:
    content = protos.doubling(
        node("n", "my_function"), functions=(protos.function("my_function", node("a", "NoOp")),)
    )
    assert read_contract(protos.write(tmp_path, content)).custom_ops == ()


RESTORE, SAVE = node("restore", "RestoreV2"), node("save", "SaveV2")
NESTED_CALL = protos.attribute(
    "g",
    (
        10,
        protos.message(
            (1, "outer"), (2, protos.message((1, "f"), (2, protos.message((10, protos.message((1, "f")))))))
        ),
    ),
)
LISTED_CALL = protos.attribute("branches", (1, protos.message((9, protos.message((1, "f"))))))


def _asked(
    *nodes: bytes, wanted: str = "y", functions: tuple[bytes, ...] = (), restore: str = "restore_all"
) -> bytes:
    asked = protos.signature("s", {}, {"y": protos.tensor_info(f"{wanted}:0", 1)})
    return protos.saved_model(
        (2, protos.graph(*nodes, functions=functions)), asked, protos.restore_op(restore)
    )


CHECKPOINTS = {
    "the loader restores": (
        _asked(node("y", "Const"), RESTORE, SAVE, node("restore_all", "NoOp", "^restore")),
        (),
    ),
    "the loader restores and saves": (
        _asked(node("y", "Const"), RESTORE, SAVE, node("restore_all", "NoOp", "^restore", "^save")),
        ("SaveV2",),
    ),
    "a signature restores": (_asked(node("y", "Identity", "restore"), RESTORE), ("RestoreV2",)),
    "a signature saves by control": (_asked(node("y", "Const", "^save"), SAVE), ("SaveV2",)),
    "a signature saves in a function": (
        _asked(
            node("y", "StatefulPartitionedCall", attributes=(protos.call("f"),)),
            functions=(protos.function("f", SAVE),),
        ),
        ("SaveV2",),
    ),
    "a function nobody calls saves": (
        _asked(node("y", "Const"), functions=(protos.function("f", SAVE),)),
        (),
    ),
    "a function in a list of branches saves": (
        _asked(node("y", "Case", attributes=(LISTED_CALL,)), functions=(protos.function("f", SAVE),)),
        ("SaveV2",),
    ),
    "a function given to a function saves": (
        _asked(node("y", "MapDataset", attributes=(NESTED_CALL,)), functions=(protos.function("f", SAVE),)),
        ("SaveV2",),
    ),
    "a function called by a function saves": (
        _asked(node("y", "g"), functions=(protos.function("g", node("n", "f")), protos.function("f", SAVE))),
        ("SaveV2",),
    ),
    "a loop without an end": (_asked(node("y", "Merge", "y", "z"), node("z", "NextIteration", "y")), ()),
}


@pytest.mark.parametrize(("content", "file_ops"), CHECKPOINTS.values(), ids=CHECKPOINTS.keys())
def test_checkpoints_are_read_by_the_loader_alone(
    tmp_path: Path, content: bytes, file_ops: tuple[str, ...]
) -> None:
    assert read_contract(protos.write(tmp_path, content)).file_ops == file_ops


def test_an_initialiser_is_served_as_well(tmp_path: Path) -> None:
    content = protos.saved_model(
        (2, protos.graph(node("init", "NoOp", "^save"), SAVE)),
        protos.collection("saved_model_main_op", "init"),
    )
    assert read_contract(protos.write(tmp_path, content)).file_ops == ("SaveV2",)


TABLE = "InitializeTableFromTextFileV2"
FILL = node("fill", TABLE, "table", "name")
VOCABULARIES = {
    "from an asset": ((node("name", "Const"), FILL), (protos.asset("name:0", "vocab.txt"),), ()),
    "from an asset, passed on": (
        (node("path", "Placeholder"), node("name", "Identity", "path"), FILL),
        (protos.asset("path:0", "vocab.txt"),),
        (),
    ),
    "from an asset, by way of a variable": (
        (
            node("path", "Placeholder"),
            node("kept", "VarHandleOp"),
            node("name", "ReadVariableOp", "kept"),
            FILL,
        ),
        (protos.asset("path:0", "vocab.txt"),),
        (),
    ),
    "from itself": (
        (
            node("path", "Placeholder"),
            node("name", "Identity", "other"),
            node("other", "Identity", "name"),
            FILL,
        ),
        (protos.asset("path:0", "vocab.txt"),),
        (TABLE,),
    ),
    "from an asset and from the host": (
        (
            node("path", "Placeholder"),
            node("name", "Identity", "path"),
            FILL,
            node("etc", "Const"),
            node("more", TABLE, "t", "etc"),
        ),
        (protos.asset("path:0", "vocab.txt"),),
        (TABLE,),
    ),
    "from any file of the host": ((node("name", "Const"), FILL), (), (TABLE,)),
    "from another file, beside an asset": (
        (node("name", "Const"), FILL, node("path", "Placeholder")),
        (protos.asset("path:0", "vocab.txt"),),
        (TABLE,),
    ),
    "from a file that the client names": ((node("name", "Placeholder"), FILL), (), (TABLE,)),
    "from a file that the client names, beside an asset": (
        (node("name", "Placeholder"), FILL, node("path", "Placeholder")),
        (protos.asset("path:0", "vocab.txt"),),
        (TABLE,),
    ),
}


@pytest.mark.parametrize(("nodes", "assets", "file_ops"), VOCABULARIES.values(), ids=VOCABULARIES.keys())
def test_a_vocabulary_is_safe_when_it_is_an_asset(
    tmp_path: Path, nodes: tuple[bytes, ...], assets: tuple[protos.Fields, ...], file_ops: tuple[str, ...]
) -> None:
    content = protos.saved_model((2, protos.graph(*nodes)), *assets)
    contract = read_contract(protos.write(tmp_path, content))
    assert contract.file_ops == file_ops
    assert contract.assets == tuple("vocab.txt" for _ in assets)


def test_an_asset_of_tensorflow_1_is_an_asset(tmp_path: Path) -> None:
    packed = protos.message(
        (1, "type.googleapis.com/tensorflow.AssetFileDef"), (2, protos.asset("name:0", "vocab.txt")[1])
    )
    assets = (
        4,
        protos.message((1, "saved_model_assets"), (2, protos.message((5, protos.message((1, packed)))))),
    )
    content = protos.saved_model((2, protos.graph(node("name", "Const"), FILL)), assets)
    contract = read_contract(protos.write(tmp_path, content))
    assert (contract.assets, contract.file_ops) == (("vocab.txt",), ())


def test_vocabularies_behind_one_long_chain_are_followed_once(tmp_path: Path) -> None:
    length = 20_000
    chain = [
        node("n0", "Placeholder"),
        *(node(f"n{number}", "Identity", f"n{number - 1}") for number in range(1, length)),
    ]
    tables = [node(f"t{number}", TABLE, "table", f"n{length - 1}") for number in range(length)]
    content = protos.saved_model((2, protos.graph(*chain, *tables)), protos.asset("n0:0", "vocab.txt"))
    assert read_contract(protos.write(tmp_path, content)).file_ops == ()

"""What a contract says of a servable, and that no servable can hide what it does."""

import contextlib
import hashlib
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_export.artifact import Signature, TensorSpec
from model_export.contract import read_contract
from model_export.contract.graph import MAX_NODES
from model_export.errors import ContractError
from tests.model_export.contract import protos
from tests.model_export.contract.protos import node


def test_signatures_are_told_with_names_types_and_shapes(tmp_path: Path) -> None:
    contract = read_contract(protos.write(tmp_path, protos.doubling()))
    assert contract.signatures == (
        Signature(
            name="serving_default",
            inputs=(TensorSpec(name="image", dtype="float32", shape=(None, 4)),),
            outputs=(TensorSpec(name="scores", dtype="float32", shape=(None, 4)),),
        ),
    )
    assert (contract.writer_version, contract.tags) == ("2.21.0", ("serve",))
    assert (contract.ops, contract.node_count) == ({"Const": 1, "Mul": 1, "Placeholder": 1}, 3)


SHAPES = {
    "scalar": (protos.message((1, "x:0"), (2, 3), (3, b"")), "int32", ()),
    "no shape at all": (protos.message((1, "x:0"), (2, 3)), "int32", ()),
    "open rank": (protos.message((1, "x:0"), (2, 7), (3, protos.message((3, 1)))), "string", None),
    "open batch": (protos.tensor_info("x:0", 19, None, 2), "float16", (None, 2)),
    "empty axis": (protos.tensor_info("x:0", 9, 0), "int64", (0,)),
    "sparse": (
        protos.message(
            (4, protos.message((1, "v:0"), (2, "i:0"), (3, "s:0"))), (2, 1), (3, protos.shape(None, 9))
        ),
        "sparse float32",
        (None, 9),
    ),
    "a type of the future": (protos.tensor_info("x:0", 77, 1), "unknown(77)", (1,)),
}


@pytest.mark.parametrize(("info", "dtype", "shape"), SHAPES.values(), ids=SHAPES.keys())
def test_every_form_of_tensor_is_described(tmp_path: Path, info: bytes, dtype: str, shape: object) -> None:
    content = protos.saved_model(
        (2, protos.graph(node("x", "Placeholder"))), protos.signature("s", {"x": info}, {})
    )
    (signature,) = read_contract(protos.write(tmp_path, content)).signatures
    assert signature.inputs == (TensorSpec(name="x", dtype=dtype, shape=shape),)


def test_the_default_of_an_input_is_told_by_its_digest(tmp_path: Path) -> None:
    sent, spared = protos.tensor_info("x:0", 1, 2), protos.tensor_info("k:0", 3)
    content = protos.saved_model(
        (2, protos.graph(node("x", "Placeholder"), node("k", "Placeholder"))),
        protos.signature("s", {"x": sent, "k": spared}, {}, defaults={"k": protos.message((1, 3), (7, 5))}),
    )
    (signature,) = read_contract(protos.write(tmp_path, content)).signatures
    digest = hashlib.sha256(protos.message((1, 3), (7, 5))).hexdigest()
    assert [(each.name, each.default) for each in signature.inputs] == [
        ("k", f"sha256:{digest}"),
        ("x", None),
    ]


def test_weights_are_counted_where_they_are(tmp_path: Path) -> None:
    variable = node(
        "w",
        "VarHandleOp",
        attributes=(protos.attribute("dtype", (6, 1)), protos.attribute("shape", (7, protos.shape(3, 5)))),
    )
    words = protos.constant("words", 7, (2,), b"")
    contract = read_contract(
        protos.write(
            tmp_path, protos.doubling(protos.constant("c", 9, (10, 2), b"\0" * 160), variable, words)
        )
    )
    assert contract.variable_bytes == 3 * 5 * 4
    assert 160 + 4 <= contract.constant_bytes <= 160 + 4 + 20  # strings count as written


def test_a_constant_counts_as_it_lies_in_memory_not_as_it_is_written(tmp_path: Path) -> None:
    splat = protos.constant("bomb", 1, (1_000_000, 1_000_000), b"")
    assert read_contract(protos.write(tmp_path, protos.doubling(splat))).constant_bytes == 4 * 10**12 + 4


def test_the_loaders_own_signatures_are_not_the_clients(tmp_path: Path) -> None:
    content = protos.saved_model(
        (2, protos.graph(node("init", "NoOp"))),
        protos.signature("__saved_model_init_op", {}, {"x": protos.tensor_info("init", 0)}),
    )
    assert read_contract(protos.write(tmp_path, content)).signatures == ()


def test_a_graph_of_endless_nodes_is_refused_while_it_is_read(tmp_path: Path) -> None:
    nodes = (
        protos.message((1, protos.message((1, f"n{number}"), (2, "NoOp")))) for number in range(MAX_NODES + 1)
    )
    content = protos.saved_model((2, b"".join(nodes)))
    with pytest.raises(ContractError, match=f"expected at most {MAX_NODES} nodes"):
        read_contract(protos.write(tmp_path, content))


def test_one_flipped_bit_in_any_computing_file_changes_the_digest(tmp_path: Path) -> None:
    folder = protos.write(tmp_path, protos.doubling())
    (folder / "variables").mkdir()
    weights, notes = folder / "variables" / "variables.data-00000-of-00001", folder / "notes.txt"
    weights.write_bytes(b"abc")
    before = read_contract(folder).digest
    notes.write_text("not a part of the computation")
    assert read_contract(folder).digest == before
    weights.write_bytes(b"abb")
    assert read_contract(folder).digest != before


NOT_SERVABLE = {
    "an empty file": b"",
    "another kind of file": b"PK\x03\x04 this is a zip file",
    "no meta graph": protos.message((1, 1)),
    "two meta graphs": protos.doubling() * 2,
    "a file cut short": protos.doubling()[:-5],
    "names that are not text": protos.saved_model(
        (2, protos.graph(node("n", "Mul").replace(b"Mul", b"\xff\xfe\xfd")))
    ),
    "two nodes of one name": protos.doubling(node("two", "NoOp")),
    "two functions of one name": protos.doubling(functions=(protos.function("f"), protos.function("f"))),
    "a tensor of too many axes": protos.doubling(protos.constant("c", 1, (1,) * 300, b"")),
}


@pytest.mark.parametrize("content", NOT_SERVABLE.values(), ids=NOT_SERVABLE.keys())
def test_what_is_not_one_whole_servable_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ContractError, match=r"saved_model\.pb: expected .* received"):
        read_contract(protos.write(tmp_path, content))


def test_a_folder_without_a_servable_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="name a version folder that holds one"):
        read_contract(tmp_path)


def test_the_meta_graph_for_serving_is_chosen_among_several(tmp_path: Path) -> None:
    training = protos.saved_model((2, protos.graph(node("t", "Abort"))), tags=("train",))
    assert "Abort" not in read_contract(protos.write(tmp_path, training + protos.doubling())).ops


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(place=st.integers(0, len(protos.doubling()) - 1), byte=st.integers(0, 255))
def test_any_flipped_byte_gives_a_contract_or_a_contract_error(tmp_path: Path, place: int, byte: int) -> None:
    content = bytearray(protos.doubling())
    content[place] = byte
    with contextlib.suppress(ContractError):
        read_contract(protos.write(tmp_path, bytes(content)))


def test_weights_are_never_copied_into_memory(tmp_path: Path) -> None:
    size = 32 << 20
    folder = protos.write(tmp_path, protos.doubling(protos.constant("big", 4, (size,), b"\0" * size)))
    read_contract(folder)  # the list of registered operations is read once
    tracemalloc.start()
    contract = read_contract(folder)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert contract.constant_bytes == size + 4
    assert peak_bytes < 2 << 20


def test_a_contract_is_read_without_tensorflow_numpy_or_protobuf(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from model_export.contract import read_contract; "
        "read_contract(Path(sys.argv[1])); "
        "sys.exit(bool({'tensorflow', 'keras', 'numpy', 'google.protobuf'} & sys.modules.keys()))"
    )
    folder = protos.write(tmp_path, protos.doubling())
    assert subprocess.run([sys.executable, "-c", program, str(folder)], check=False).returncode == 0

"""Two parsers, one file: no damaged or crafted file may look harmless here and mean something else to TensorFlow."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from model_export.contract import read_contract
from model_export.errors import ContractError
from tests.model_export.contract import protos

pytestmark = pytest.mark.tensorflow

FILE = protos.doubling(
    protos.node("a", "ReadFile"),
    functions=(protos.function("f", protos.node("b", "PyFunc"), arguments=("x",)),),
)
TRIALS = 4_000


def _changed(content: bytes, draw: random.Random) -> bytes:
    """Change, add or remove a byte or a few."""
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        place = draw.randrange(len(changed))
        kind = draw.choice(["change", "change", "add", "remove"])
        if kind == "change":
            changed[place] = draw.randrange(256)
        elif kind == "add":
            changed.insert(place, draw.randrange(256))
        else:
            del changed[place]
    return bytes(changed)


def _as_tensorflow_reads(content: bytes) -> Counter[str] | None:
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        meta_graphs = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    except DecodeError:
        return None
    if len(meta_graphs) != 1:
        return None
    graph = meta_graphs[0].graph_def
    return Counter(
        node.op
        for node in [
            *graph.node,
            *(each for function in graph.library.function for each in function.node_def),
        ]
    )


def test_both_parsers_see_the_same_operations_or_ours_refuses(tmp_path: Path) -> None:
    draw, agreed = random.Random(20), 0
    for _ in range(TRIALS):
        content = _changed(FILE, draw)
        expected = _as_tensorflow_reads(content)
        try:
            found = read_contract(protos.write(tmp_path, content)).ops
        except ContractError:
            continue
        if expected is not None:
            assert found == expected, content.hex()
            agreed += 1
    assert agreed > TRIALS // 20

"""The door for TensorFlow 1 checkpoints, with TensorFlow itself."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_export.artifact import ExportRequest
from model_export.errors import SignatureError, SourceError
from model_export.exporting import export
from tests.model_export.answering import answers, checkpoint_answers
from tests.model_export.models.modules import numbers
from tests.model_export.models.tensorflow1 import CHECKPOINTS

pytestmark = pytest.mark.tensorflow


def request(tmp_path: Path, outputs: str = "y", **more: Any) -> ExportRequest:
    return ExportRequest(
        name="m",
        source=tmp_path / "training",
        base_path=tmp_path / "models",
        outputs=tuple(outputs.split(",")),
        **more,
    )


@pytest.mark.parametrize(("build", "outputs"), CHECKPOINTS.values(), ids=CHECKPOINTS.keys())
def test_a_frozen_checkpoint_answers_bit_for_bit_after_its_source_is_gone(
    build: Any, outputs: str, tmp_path: Path
) -> None:
    inputs = build(tmp_path / "training")
    expected = checkpoint_answers(tmp_path / "training" / "model.ckpt-7", inputs, outputs)

    servable = export(request(tmp_path, outputs), report=lambda _: None).path
    shutil.rmtree(tmp_path / "training")
    (tmp_path / "words.txt").unlink(missing_ok=True)

    assert servable.name == "7"
    for alias, found in answers(servable, inputs).items():
        np.testing.assert_array_equal(found, expected[alias], strict=True)
    assert str(tmp_path).encode() not in (servable / "saved_model.pb").read_bytes()


def test_the_restored_checkpoint_and_its_step_are_announced(tmp_path: Path) -> None:
    CHECKPOINTS["resource_variables"][0](tmp_path / "training")
    lines: list[str] = []

    export(request(tmp_path), report=lines.append)

    assert lines[0] == f"Successfully loaded model from {tmp_path}/training/model.ckpt-7 at step=7."


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001", "meta"])
def test_a_damaged_checkpoint_is_one_sentence_and_leaves_nothing(part: str, tmp_path: Path) -> None:
    CHECKPOINTS["resource_variables"][0](tmp_path / "training")
    path = tmp_path / "training" / f"model.ckpt-7.{part}"
    path.write_bytes(path.read_bytes()[:20])

    with pytest.raises(SourceError, match=r"expected a .*; (copy|train)"):
        export(request(tmp_path), report=lambda _: None)

    assert list((tmp_path / "models").iterdir()) == []


def test_a_misspelt_output_is_answered_with_the_nearest_names(tmp_path: Path) -> None:
    CHECKPOINTS["resource_variables"][0](tmp_path / "training")

    with pytest.raises(SignatureError, match=r"received 'Y:0'; did you mean y\?"):
        export(request(tmp_path, "Y:0"), report=lambda _: None)


def test_without_outputs_the_ends_of_the_graph_are_offered(tmp_path: Path) -> None:
    CHECKPOINTS["resource_variables"][0](tmp_path / "training")

    with pytest.raises(SignatureError, match=r"expected --outputs.* its graph ends in .*y"):
        export(
            ExportRequest(name="m", source=tmp_path / "training", base_path=tmp_path / "m"),
            report=lambda _: None,
        )


BUILDER = """
import tensorflow as tf

def build():
    x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
    w = tf.compat.v1.get_variable("w", [4, 3], use_resource=True)
    return {"scores": tf.identity(x @ w, name="y")}

def fail():
    raise LookupError("no such layer")
"""


@pytest.mark.parametrize(
    ("more", "alias"), [({}, "scores"), ({"outputs": ("z=y",)}, "z")], ids=["its outputs", "named outputs"]
)
def test_a_checkpoint_without_its_graph_is_given_one_by_a_function(
    more: dict[str, Any], alias: str, tmp_path: Path
) -> None:
    inputs = CHECKPOINTS["resource_variables"][0](tmp_path / "training")
    expected = checkpoint_answers(tmp_path / "training" / "model.ckpt-7", inputs, "y")["y"]
    (tmp_path / "training" / "model.ckpt-7.meta").unlink()
    (tmp_path / "graph.py").write_text(BUILDER)
    asked = ExportRequest(
        name="m",
        source=tmp_path / "training",
        base_path=tmp_path / "models",
        builder=f"{tmp_path}/graph.py:build",
        **more,
    )

    servable = export(asked, report=lambda _: None).path

    np.testing.assert_array_equal(answers(servable, inputs)[alias], expected, strict=True)


def test_a_checkpoint_of_tensorflow_2_is_restored_by_the_names_of_its_variables(tmp_path: Path) -> None:
    import tensorflow as tf

    w, x = numbers(4, 3), numbers(2, 4)
    layer = tf.Module()
    layer.kernel = tf.Variable(w, name="w")
    unrelated = tf.Variable(0.0, name="learning_rate")
    tf.train.Checkpoint(model=layer, optimizer=unrelated).save(str(tmp_path / "training" / "ckpt"))
    (tmp_path / "graph.py").write_text(BUILDER)
    asked = ExportRequest(
        name="m",
        source=tmp_path / "training",
        base_path=tmp_path / "models",
        builder=f"{tmp_path}/graph.py:build",
    )
    lines: list[str] = []

    servable = export(asked, report=lines.append).path

    assert lines[0].startswith(f"Successfully loaded model from {tmp_path}/training/ckpt-1")
    expected = tf.linalg.matmul(x, w).numpy()  # one small product: the same kernel gives the same bits
    np.testing.assert_array_equal(answers(servable, {"x": x})["scores"], expected, strict=True)


def test_a_checkpoint_of_tensorflow_2_that_lacks_a_variable_of_the_builder_is_one_sentence(
    tmp_path: Path,
) -> None:
    import tensorflow as tf

    tf.train.Checkpoint(v=tf.Variable(0.0, name="v")).save(str(tmp_path / "training" / "ckpt"))
    (tmp_path / "graph.py").write_text(BUILDER)

    with pytest.raises(SourceError, match=r"expected a whole TensorFlow checkpoint at .*ckpt-1"):
        export(request(tmp_path, builder=f"{tmp_path}/graph.py:build"), report=lambda _: None)


@pytest.mark.parametrize(
    ("builder", "reason"),
    [
        (None, "name a function that builds the graph with --builder"),
        ("graph.py:none", "expected a function 'none' in .*graph.py"),
        ("nothing.py:build", "expected a readable file at .*nothing.py"),
        ("graph.py:fail", "received LookupError: no such layer"),
    ],
    ids=["not named", "no function", "no file", "a failing function"],
)
def test_a_graph_that_cannot_be_built_is_one_sentence(
    builder: str | None, reason: str, tmp_path: Path
) -> None:
    CHECKPOINTS["resource_variables"][0](tmp_path / "training")
    (tmp_path / "training" / "model.ckpt-7.meta").unlink()
    (tmp_path / "graph.py").write_text(BUILDER)

    with pytest.raises(SourceError, match=reason):
        export(request(tmp_path, builder=builder and f"{tmp_path}/{builder}"), report=lambda _: None)

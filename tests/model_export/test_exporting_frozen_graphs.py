"""The door for frozen graphs, `.pb`: what an earlier freezer left, with inputs and outputs named by the caller."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_export.artifact import ExportRequest, Manifest
from model_export.errors import ExportError, SignatureError
from model_export.exporting import export
from tests.model_export.answering import answers
from tests.model_export.models.modules import numbers

pytestmark = pytest.mark.tensorflow
W = numbers(4, 3)


def frozen_graph(path: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        raw = tf.compat.v1.placeholder(tf.string, [None], name="raw")
        decoded = tf.reshape(tf.io.decode_raw(raw, tf.float32), [-1, 4], name="decoded")
        tf.nn.softmax(decoded @ tf.constant(W), name="scores")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def exported(tmp_path: Path, **more: Any) -> Path:
    asked = ExportRequest(
        name="m", source=tmp_path / "graph.pb", base_path=tmp_path / "models", version=3, **more
    )
    return export(asked, report=lambda _: None).path


def test_an_inner_tensor_becomes_the_input_and_answers_bit_for_bit(tmp_path: Path) -> None:
    import tensorflow as tf

    frozen_graph(tmp_path / "graph.pb")
    x = numbers(2, 4)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        definition = tf.compat.v1.GraphDef.FromString((tmp_path / "graph.pb").read_bytes())
        tf.graph_util.import_graph_def(definition, name="")
        expected = session.run("scores:0", {"decoded:0": x})

    servable = exported(tmp_path, inputs=("images=decoded",), outputs=("scores",))
    (tmp_path / "graph.pb").unlink()

    np.testing.assert_array_equal(answers(servable, {"images": x})["scores"], expected, strict=True)
    assert Manifest.read(servable).source.kind == "graph_def"
    assert (Manifest.read(servable).version, Manifest.read(servable).source.name) == (3, "graph.pb")


def test_without_outputs_the_ends_of_the_graph_are_offered(tmp_path: Path) -> None:
    frozen_graph(tmp_path / "graph.pb")

    with pytest.raises(SignatureError, match=r"expected --outputs.* its graph ends in .*scores"):
        exported(tmp_path)


def test_a_graph_that_is_not_frozen_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        w = tf.compat.v1.get_variable("w", [4], use_resource=True)
        tf.identity(w, name="y")
    (tmp_path / "graph.pb").write_bytes(graph.as_graph_def().SerializeToString())

    with pytest.raises(ExportError, match=r"expected .*; ") as caught:
        exported(tmp_path, outputs=("y",))

    assert "w" in str(caught.value)
    assert not list((tmp_path / "models").glob("*"))


def test_bytes_that_are_no_graph_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "graph.pb").write_bytes(b"not a protobuf")

    with pytest.raises(ExportError, match=r"expected .*graph.*graph\.pb"):
        exported(tmp_path, outputs=("y",))

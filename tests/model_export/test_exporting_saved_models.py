"""The door for SavedModels, with TensorFlow itself: what can be frozen answers alike, what cannot is named."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_export.artifact import ExportRequest, Manifest
from model_export.contract import read_contract
from model_export.errors import NotFreezableError, SignatureError, SourceError
from model_export.exporting import export
from tests.model_export.answering import answers
from tests.model_export.models.modules import MODULES, numbers, saved, spec
from tests.model_export.models.refused import REFUSED
from tests.model_export.models.tensorflow1 import saved_model_with_everything

pytestmark = pytest.mark.tensorflow


def exported(source: Path, base_path: Path, **more: Any) -> Path:
    request = ExportRequest(name="m", source=source, base_path=base_path, **more)
    return export(request, report=lambda _: None).path


@pytest.mark.parametrize("build", MODULES.values(), ids=MODULES.keys())
def test_a_frozen_module_answers_bit_for_bit_after_its_source_is_gone(build: Any, tmp_path: Path) -> None:
    source = tmp_path / "source"
    inputs = build(source)
    expected = answers(source, inputs)

    servable = exported(source, tmp_path / "models")
    shutil.rmtree(source)
    found = answers(servable, inputs)

    assert found.keys() == expected.keys()
    for alias, values in expected.items():
        np.testing.assert_array_equal(found[alias], values, strict=True, err_msg=alias)
    assert str(tmp_path).encode() not in (servable / "saved_model.pb").read_bytes()


@pytest.mark.parametrize(("build", "op"), REFUSED.values(), ids=REFUSED.keys())
def test_what_one_protobuf_cannot_hold_is_refused_by_op_and_node(build: Any, op: str, tmp_path: Path) -> None:
    build(tmp_path / "source")

    with pytest.raises(NotFreezableError, match=rf'op {op} at node ".+"'):
        exported(tmp_path / "source", tmp_path / "models")

    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("signature", "inputs"),
    [
        ("serving_default", {"x": np.array([b"dog", b"?"], object)}),
        ("from_ids", {"ids": np.array([0, 2], np.int64)}),
    ],
    ids=["by words", "by an inner tensor"],
)
def test_every_signature_of_a_tensorflow_1_saved_model_survives(
    signature: str, inputs: dict[str, Any], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    saved_model_with_everything(source)
    expected = answers(source, inputs, signature=signature)

    servable = exported(source, tmp_path / "models")
    shutil.rmtree(source)

    np.testing.assert_array_equal(
        answers(servable, inputs, signature=signature)["y"], expected["y"], strict=True
    )
    assert [each.name for each in (servable / "assets").iterdir()] == ["words.txt"]
    assert str(tmp_path).encode() not in (servable / "saved_model.pb").read_bytes()


def test_a_chosen_signature_travels_alone_and_without_vocabularies_it_does_not_need(tmp_path: Path) -> None:
    saved_model_with_everything(tmp_path / "source")

    servable = exported(
        tmp_path / "source", tmp_path / "models", outputs=("y",), inputs=("ids",), signature="from_ids"
    )

    assert [each.name for each in Manifest.read(servable).signatures] == ["from_ids", "serving_default"]
    assert not (servable / "assets").exists()


def test_a_signature_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    saved_model_with_everything(tmp_path / "source")

    with pytest.raises(SignatureError, match="received a model with from_ids, serving_default"):
        exported(tmp_path / "source", tmp_path / "models", signature="classify")


def test_a_damaged_saved_model_is_one_sentence(tmp_path: Path) -> None:
    MODULES["dense_layers"](tmp_path / "source")
    (tmp_path / "source" / "saved_model.pb").write_bytes(b"not a protobuf")

    with pytest.raises(SourceError, match="expected a whole SavedModel for serving"):
        exported(tmp_path / "source", tmp_path / "models")


def test_tensors_of_a_signature_can_be_given_other_aliases(tmp_path: Path) -> None:
    inputs = MODULES["dense_layers"](tmp_path / "source")
    expected = answers(tmp_path / "source", inputs)["y"]

    servable = exported(tmp_path / "source", tmp_path / "models", outputs=("scores=y",), inputs=("images=x",))

    found = answers(servable, {"images": inputs["x"]})
    np.testing.assert_array_equal(found["scores"], expected, strict=True)


def test_a_sparse_input_is_asked_for_part_by_part(tmp_path: Path) -> None:
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.sparse_placeholder(tf.float32, [None, 4], name="x")
        y = tf.sparse.sparse_dense_matmul(x, v1.get_variable("w", initializer=np.ones((4, 3), np.float32)))
        session.run(v1.global_variables_initializer())
        info = v1.saved_model.build_tensor_info
        signature = v1.saved_model.build_signature_def(
            {"x": info(x)}, {"y": info(y)}, "tensorflow/serving/predict"
        )
        builder = v1.saved_model.Builder(str(tmp_path / "source"))
        builder.add_meta_graph_and_variables(
            session, ["serve"], signature_def_map={"serving_default": signature}
        )
        builder.save()
    parts = {
        "x/indices": np.array([[0, 1], [1, 3]], np.int64),
        "x/values": np.array([2.0, 5.0], np.float32),
        "x/shape": np.array([2, 4], np.int64),
    }
    np.savez(tmp_path / "request.npz", **parts)

    servable = exported(tmp_path / "source", tmp_path / "models", example=tmp_path / "request.npz")

    np.testing.assert_array_equal(answers(servable, parts)["y"], [[2.0] * 3, [5.0] * 3])


def test_what_clients_may_leave_out_keeps_its_default_under_its_new_alias(tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    MODULES["unused_input_and_passed_through_output"](tmp_path / "source")
    path = tmp_path / "source" / "saved_model.pb"
    source = SavedModel.FromString(path.read_bytes())
    source.meta_graphs[0].signature_def["serving_default"].defaults["unused"].CopyFrom(
        tf.make_tensor_proto([1.0, 2.0])
    )
    path.write_bytes(source.SerializeToString())

    kept = read_contract(exported(tmp_path / "source", tmp_path / "kept"))
    renamed = exported(tmp_path / "source", tmp_path / "renamed", outputs=("y",), inputs=("x", "k=unused"))
    plain = Manifest.read(exported_without_default(tmp_path))

    (signature,) = kept.signatures
    assert [each.name for each in signature.inputs if each.default] == ["unused"]
    assert Manifest.read(tmp_path / "kept" / "1").signatures == kept.signatures
    assert read_contract(renamed).signatures == Manifest.read(renamed).signatures
    assert [each.name for each in Manifest.read(renamed).signatures[0].inputs if each.default] == ["k"]
    assert plain.identity != Manifest.read(tmp_path / "kept" / "1").identity


def exported_without_default(tmp_path: Path) -> Path:
    MODULES["unused_input_and_passed_through_output"](tmp_path / "plain-source")
    return exported(tmp_path / "plain-source", tmp_path / "plain")


def test_what_is_random_stays_random_and_a_seed_stays_a_seed(tmp_path: Path) -> None:
    import tensorflow as tf

    owner = tf.Module()
    owner.w = tf.Variable(numbers(4))

    def call(x: Any) -> Any:
        normal = tf.raw_ops.RandomStandardNormal
        free = normal(shape=[4], dtype=tf.float32, seed=0, seed2=0)
        return {"free": x * owner.w + free, "seeded": normal(shape=[4], dtype=tf.float32, seed=7, seed2=3)}

    saved(tmp_path / "source", call, owner, spec([None, 4]))
    x = {"x": numbers(2, 4)}
    expected = answers(tmp_path / "source", x)["seeded"]

    servable = exported(tmp_path / "source", tmp_path / "models")
    first, second = answers(servable, x), answers(servable, x)

    np.testing.assert_array_equal(first["seeded"], expected, strict=True)
    assert (first["free"] != second["free"]).any()

"""Optional steps of an export, each judged by what the servable answers afterwards."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_export.artifact import ExportRequest, Manifest
from model_export.errors import VerificationError
from model_export.exporting import export
from model_export.tuning.choice import choose
from tests.model_export.answering import answers
from tests.model_export.models.modules import MODULES, numbers, saved, spec

pytestmark = pytest.mark.tensorflow


def wide_layers(folder: Path) -> dict[str, Any]:
    import tensorflow as tf

    owner = tf.Module()
    owner.w, owner.v = tf.Variable(numbers(64, 128)), tf.Variable(numbers(128, 16) * 3)
    owner.bias = tf.Variable(numbers(128))
    saved(folder, lambda x: {"y": tf.nn.relu(x @ owner.w + owner.bias) @ owner.v}, owner, spec([None, 64]))
    return {"x": numbers(5, 64)}


def exported(source: Path, base_path: Path, **more: Any) -> Path:
    request = ExportRequest(name="m", source=source, base_path=base_path, **more)
    return export(request, report=lambda _: None).path


def ops(servable: Path) -> list[str]:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    graph = SavedModel.FromString((servable / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    return [node.op for node in graph.node] + [
        node.op for each in graph.library.function for node in each.node_def
    ]


@pytest.mark.parametrize(
    "name",
    [
        "convolution_with_batch_norm",
        "while_loop_with_variables",
        "vocabulary_file",
        "branches_with_variables",
        "embedding_lookup_in_a_map",
        "lstm",
    ],
)
def test_an_optimised_graph_answers_as_the_source_does_in_plain_ops(name: str, tmp_path: Path) -> None:
    inputs = MODULES[name](tmp_path / "source")
    expected = answers(tmp_path / "source", inputs)

    servable = exported(tmp_path / "source", tmp_path / "models", optimize=True)

    for alias, values in answers(servable, inputs).items():
        if values.dtype.kind == "f":  # folding moves the last bits
            np.testing.assert_allclose(values, expected[alias], rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(values, expected[alias])
    assert not any(op.startswith("_") for op in ops(servable))


def test_batch_normalisation_is_folded_into_the_convolution(tmp_path: Path) -> None:
    MODULES["convolution_with_batch_norm"](tmp_path / "source")

    servable = exported(tmp_path / "source", tmp_path / "models", optimize=True)

    assert not {"FusedBatchNormV3", "Mul", "PartitionedCall"} & set(ops(servable))
    notes = Manifest.read(servable).extra["optimized"]
    assert notes["nodes_after"] < notes["nodes_before"]


@pytest.mark.parametrize(("kind", "share", "tolerance"), [("fp16", 0.6, 2e-3), ("int8", 0.4, 2e-2)])
def test_smaller_weights_keep_the_answers_within_what_the_manifest_states(
    kind: Any, share: float, tolerance: float, tmp_path: Path
) -> None:
    inputs = wide_layers(tmp_path / "source")
    expected = answers(tmp_path / "source", inputs)["y"]
    plain = exported(tmp_path / "source", tmp_path / "plain")

    servable = exported(tmp_path / "source", tmp_path / "models", quantize=kind)

    found = answers(servable, inputs)["y"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())
    assert not np.array_equal(found, expected)
    manifest = Manifest.read(servable)
    assert manifest.size_bytes < share * Manifest.read(plain).size_bytes
    assert manifest.extra["quantized"]["kind"] == kind
    assert 0 < manifest.extra["quantized"]["difference"] <= tolerance
    assert manifest.identity != Manifest.read(plain).identity


def test_weights_that_cost_too_much_are_refused_with_the_measured_difference(tmp_path: Path) -> None:
    wide_layers(tmp_path / "source")

    with pytest.raises(
        VerificationError, match=r"within 1e-09 of the source's, received a difference of 0\.0"
    ):
        exported(tmp_path / "source", tmp_path / "models", quantize="int8", error_limit=1e-9)

    assert list((tmp_path / "models").iterdir()) == []


def test_tuning_leaves_a_choice_in_the_servers_own_words(tmp_path: Path) -> None:
    wide_layers(tmp_path / "source")

    servable = exported(tmp_path / "source", tmp_path / "models", tune=True, warmup_batch_sizes=(1, 4))

    found = json.loads((servable / "manifest.json").read_text())["extra"]["tuning"]
    assert found["backend_profile"] in {"single_thread", "thread_pool"}
    assert found["onednn"] in {"on", "off"}
    assert set(found["latency_ms"]) == {
        "single_thread/on",
        "single_thread/off",
        "thread_pool/on",
        "thread_pool/off",
    }
    assert all(set(times) == {"1", "4"} for times in found["latency_ms"].values())


def test_the_least_mean_over_all_batch_sizes_is_chosen() -> None:
    measured = {
        "single_thread/off": {"1": 1.0, "32": 40.0},
        "thread_pool/on": {"1": 2.0, "32": 10.0},
        "thread_pool/off": {"1": 3.0, "32": 30.0},
    }

    assert choose(measured) == "thread_pool/on"

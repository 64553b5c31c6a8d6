"""The door for Keras files, with Keras itself: what it predicts is what the servable answers."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_export.artifact import ExportRequest, Manifest
from model_export.errors import SourceError
from model_export.exporting import export
from model_export.sources.keras import isolation
from tests.model_export.answering import answers
from tests.model_export.models.modules import numbers

pytestmark = pytest.mark.tensorflow


def dense() -> Any:
    import keras

    layers = [keras.layers.Input((4,), name="pixels"), keras.layers.Dense(3, activation="softmax")]
    return keras.Sequential(layers)


def unnamed_input() -> Any:
    import keras

    for _ in range(3):
        keras.layers.Input((1,))  # moves the counters on
    inputs = keras.layers.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(3)(inputs))


def named_tensors() -> Any:
    import keras

    left, right = keras.layers.Input((4,), name="left"), keras.layers.Input((4,), name="right")
    total = keras.layers.Add()([left, right])
    return keras.Model(
        {"left": left, "right": right}, {"scores": keras.layers.Dense(3)(total), "total": total}
    )


def convolution() -> Any:
    import keras

    layers = [
        keras.layers.Input((8, 8, 1), name="pixels"),
        keras.layers.Conv2D(4, 3),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(3),
    ]
    return keras.Sequential(layers)


def vocabulary() -> Any:
    import keras

    words = keras.layers.Input((2,), dtype="string", name="words")
    ids = keras.layers.StringLookup(vocabulary=["cat", "dog"])(words)
    return keras.Model(words, keras.layers.Embedding(3, 4)(ids))


WORDS = np.array([[b"dog", b"?"], [b"cat", b"cat"]], object)


@pytest.mark.parametrize(
    ("build", "suffix", "inputs", "outputs"),
    [
        (dense, ".keras", {"pixels": numbers(2, 4)}, ["output_0"]),
        (dense, ".h5", {"pixels": numbers(2, 4)}, ["output_0"]),
        (unnamed_input, ".keras", {"input_0": numbers(2, 4)}, ["output_0"]),
        (named_tensors, ".keras", {"left": numbers(2, 4), "right": numbers(2, 4) * 2}, ["scores", "total"]),
        (convolution, ".keras", {"pixels": numbers(2, 8, 8, 1)}, ["output_0"]),
        (vocabulary, ".keras", {"words": WORDS}, ["output_0"]),
    ],
    ids=["sequential", "h5", "made-up input name", "dictionaries", "convolution", "vocabulary"],
)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_servable_answers_as_keras_predicts(
    build: Callable[[], Any], suffix: str, inputs: dict[str, Any], outputs: list[str], tmp_path: Path
) -> None:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    model = build()
    given = {name: tf.constant(values) for name, values in inputs.items()}
    predicted = model(given if len(given) > 1 else next(iter(given.values())), training=False)
    path = tmp_path / f"model{suffix}"
    model.save(path)

    servable = export(
        ExportRequest(name="m", source=path, base_path=tmp_path / "models"), report=lambda _: None
    ).path
    path.unlink()

    found = answers(servable, inputs)
    expected = predicted if isinstance(predicted, dict) else {"output_0": predicted}
    assert sorted(found) == outputs
    for alias, values in found.items():
        # Keras runs eagerly, kernel by kernel, on all threads; sums may come in another order.
        np.testing.assert_allclose(values, expected[alias].numpy(), rtol=1e-5, atol=1e-6)
    assert Manifest.read(servable).source.name == f"model{suffix}"
    assert str(tmp_path).encode() not in (servable / "saved_model.pb").read_bytes()


def test_a_lambda_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    import keras

    layers = [keras.layers.Input((4,)), keras.layers.Lambda(lambda x: x * 2)]
    keras.Sequential(layers).save(tmp_path / "model.keras")

    with pytest.raises(SourceError, match="Lambda"):
        export(
            ExportRequest(name="m", source=tmp_path / "model.keras", base_path=tmp_path / "models"),
            report=lambda _: None,
        )

    assert list((tmp_path / "models").iterdir()) == []


def test_the_same_file_gives_the_same_identity_whatever_keras_had_made_before(tmp_path: Path) -> None:
    import keras

    identities = set()
    for count in (0, 3):
        for _ in range(count):
            convolution()
        keras.utils.set_random_seed(1)
        model = convolution()
        model.save(tmp_path / f"{count}.keras")
        request = ExportRequest(name="m", source=tmp_path / f"{count}.keras", base_path=tmp_path / str(count))
        identities.add(export(request, report=lambda _: None).digest)

    assert len(identities) == 1


def test_the_process_that_loads_keras_files_reaches_no_network() -> None:
    words = isolation()
    if not words:
        pytest.skip("this machine lets nobody make a network namespace")
    program = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=5)"
    with socket.create_server(("127.0.0.1", 0)) as server:
        call = [sys.executable, "-c", program, str(server.getsockname()[1])]

        outside = subprocess.run(call, capture_output=True, text=True, check=False)
        inside = subprocess.run([*words, *call], capture_output=True, text=True, check=False)

    assert outside.returncode == 0, outside.stderr
    assert inside.returncode != 0
    assert "OSError" in inside.stderr


def test_the_process_that_loads_keras_files_does_not_read_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dense().save(tmp_path / "model.keras")
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(
        '{"backend": "one that would stop every process that reads this"}'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    asked = ExportRequest(name="m", source=tmp_path / "model.keras", base_path=tmp_path / "models")

    assert export(asked, report=lambda _: None).path.is_dir()

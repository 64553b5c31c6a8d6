"""Keras files from strangers: what Keras owns passes, and everything else is refused by its name before anybody loads it."""

from __future__ import annotations

import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from model_export.errors import SourceError
from model_export.keras_file import KerasFileReport, Layer, inspect_keras_file
from tests.model_export.keras_file.keras_files import DENSE, h5_file, hdf5, keras_archive, model, write

LAYERS = (Layer(name="image", class_name="InputLayer"), Layer(name="scores", class_name="Dense"))


def test_an_ordinary_archive_is_described(tmp_path: Path) -> None:
    content = keras_archive(model(DENSE), members=(("assets/lookup/vocabulary.txt", b"cat\ndog\n"),))
    assert inspect_keras_file(write(tmp_path, content)) == KerasFileReport(
        format="keras",
        keras_version="3.15.1",
        model_class="Functional",
        layers=LAYERS,
        weight_bytes=32,
        assets=("assets/lookup/vocabulary.txt",),
        foreign_training=(),
    )


def test_an_ordinary_h5_file_is_described(tmp_path: Path) -> None:
    report = inspect_keras_file(write(tmp_path, h5_file(model(DENSE)), "model.h5"))
    assert (report.format, report.layers, report.weight_bytes) == ("h5", LAYERS, 32)


def _link(name: str, link: object) -> Callable[[h5py.File], object]:
    return lambda file: file.__setitem__(name, link)


def _elsewhere(file: h5py.File) -> None:
    file.create_dataset("stolen", (100,), "u1", external=[("/etc/passwd", 0, 100)])


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((10,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (10,))
    file.create_virtual_dataset("stolen", layout)


def _bomb(file: h5py.File) -> None:
    file.create_dataset("zeros", (1 << 30, 1 << 10), "f4", chunks=(1 << 10, 1 << 10), compression="gzip")


def _many(file: h5py.File) -> None:
    group = file.create_group("loop")
    group["again"] = group  # a hard link to itself


HOSTILE_WEIGHTS = {
    "a link to another file": (
        _link("x", h5py.ExternalLink("/etc/passwd", "/")),
        "'x', a link that leads elsewhere",
    ),
    "a link by name": (_link("x", h5py.SoftLink("/layers")), "'x', a link that leads elsewhere"),
    "an array in another file": (_elsewhere, "'/stolen', stored in another file"),
    "a virtual array": (_virtual, "'/stolen', stored in another file"),
    "a bomb": (_bomb, "bytes of weights, received 4398046511"),
}


@pytest.mark.parametrize(("change", "message"), HOSTILE_WEIGHTS.values(), ids=HOSTILE_WEIGHTS.keys())
@pytest.mark.parametrize("form", ["keras", "h5"])
def test_weights_that_reach_outside_their_file_are_refused(
    tmp_path: Path, form: str, change: Callable[[h5py.File], object], message: str
) -> None:
    content = (
        keras_archive(model(DENSE), weights=hdf5(change))
        if form == "keras"
        else h5_file(model(DENSE), change)
    )
    with pytest.raises(SourceError, match=message):
        inspect_keras_file(write(tmp_path, content, f"model.{form}"))


def test_groups_that_hold_themselves_are_read_once(tmp_path: Path) -> None:
    assert inspect_keras_file(write(tmp_path, h5_file(model(DENSE), _many))).weight_bytes == 32


def _info(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


GOOD = model(DENSE)
HOSTILE_ARCHIVES = {
    "a step out": (keras_archive(GOOD, members=(("assets/../../evil", b"x"),)), "a step out of the folder"),
    "an absolute path": (keras_archive(GOOD, members=(("/tmp/evil", b"x"),)), "an absolute path"),
    "a link": (
        keras_archive(GOOD, members=((_info("assets/x", stat.S_IFLNK | 0o777), b"/etc/passwd"),)),
        "a link, device",
    ),
    "a program beside the model": (
        keras_archive(GOOD, members=(("evil.py", b"import os"),)),
        "received 'evil.py' as well",
    ),
    "pickled weights": (
        keras_archive(GOOD, members=(("model.weights.npz", b"x"),)),
        r"received 'model\.weights\.npz' as well",
    ),
    "a second config in capitals": (keras_archive(GOOD, members=(("CONFIG.JSON", b"{}"),)), "stay apart"),
    "a bomb": (
        keras_archive(GOOD, members=(("assets/zeros", b"\0" * 64_000_000),), method=zipfile.ZIP_DEFLATED),
        "when unpacked",
    ),
    "no config": (keras_archive(GOOD, without="config.json"), r"received no config\.json"),
    "no weights": (keras_archive(GOOD, without="model.weights.h5"), r"received no model\.weights\.h5"),
    "weights that are none": (keras_archive(GOOD, weights=b"not HDF5"), "expected an HDF5 file of weights"),
    "cut short": (keras_archive(GOOD)[:-30], "expected a whole .keras archive"),
    "a flipped byte": (
        keras_archive(GOOD).replace(b"softmax", b"softmap"),
        "expected a whole .keras archive",
    ),
    "a pickle": (b"\x80\x04\x95cos\nsystem\n", "received neither"),
    "an empty file": (b"", "received neither"),
    "weights alone": (h5_file(None), "weights without a config"),
    "HDF5 cut short": (h5_file(GOOD)[:600], "expected an HDF5 file of weights"),
}


@pytest.mark.parametrize(("content", "message"), HOSTILE_ARCHIVES.values(), ids=HOSTILE_ARCHIVES.keys())
def test_an_archive_that_no_keras_wrote_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        inspect_keras_file(write(tmp_path, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="correct the path"):
        inspect_keras_file(tmp_path / "nothing.keras")


def test_a_file_is_judged_without_keras_or_tensorflow(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from model_export.keras_file import inspect_keras_file; "
        "inspect_keras_file(Path(sys.argv[1])); sys.exit(bool({'keras', 'tensorflow', 'pickle5'} & sys.modules.keys()))"
    )
    path = write(tmp_path, keras_archive(GOOD))
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == 0


@pytest.mark.tensorflow
def test_the_known_names_are_those_of_the_installed_keras() -> None:
    from model_export.keras_file.record_names import PATH, known_names_text

    assert PATH.read_text() == known_names_text()


@pytest.mark.tensorflow
@pytest.mark.parametrize("form", ["keras", "h5"])
@pytest.mark.filterwarnings("ignore")
def test_what_keras_itself_writes_passes(tmp_path: Path, form: str) -> None:
    import keras

    image = keras.Input((8, 8, 3), name="image")
    words = keras.Input((), name="words", dtype="string")
    inner = keras.Sequential(
        [keras.layers.Dense(4, kernel_regularizer="l2"), keras.layers.LeakyReLU()], name="inner"
    )
    seen = keras.layers.Conv2D(
        4, 3, kernel_initializer=keras.initializers.HeNormal(), activation=keras.activations.gelu
    )(image)
    seen = keras.layers.Flatten()(keras.layers.BatchNormalization()(seen)) * 2.0 + 1.0
    steps = keras.layers.Reshape((36, 4))(seen)
    read = keras.layers.Bidirectional(keras.layers.LSTM(3, recurrent_activation="hard_sigmoid"))(steps)
    timed = keras.layers.Flatten()(keras.layers.TimeDistributed(keras.layers.Dense(2))(steps))
    looked = keras.layers.Embedding(4, 2)(keras.layers.StringLookup(vocabulary=["cat", "dog"])(words))
    model = keras.Model(
        [image, words], keras.layers.Concatenate(name="all")([inner(seen), read, timed, looked])
    )
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
        "mse",
        metrics=["mae"],
    )
    path = tmp_path / f"model.{form}"
    model.save(path)
    report = inspect_keras_file(path)
    assert {"image", "words", "inner", "all"} <= {layer.name for layer in report.layers}
    assert report.weight_bytes >= sum(int(np.prod(weight.shape)) * 4 for weight in model.weights)
    assert report.foreign_training == ()

"""Keras files from strangers: what Keras owns passes, and everything else is refused by its name before anybody loads it."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from model_export.errors import SourceError
from model_export.keras_file import KerasFileReport, Layer, inspect_keras_file

METADATA = json.dumps({"keras_version": "3.15.1"})
MARSHAL = "4wEAAAAAAAAAAAAAAAEAAAACAAAA8wYAAACXAHwAUwCpAA=="


def _weights(change: Callable[[h5py.File], object] = lambda _file: None) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/dense/vars/0"] = np.zeros((4, 2), np.float32)
        change(file)
    return buffer.getvalue()


def _layer(
    class_name: Any, name: str = "bad", module: Any = "keras.layers", registered: Any = None, **config: Any
) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": class_name,
        "config": {"name": name, **config},
        "registered_name": registered,
        "inbound_nodes": [],
    }


INPUT = _layer("InputLayer", "image", batch_shape=[None, 4])
DENSE = _layer("Dense", "scores", units=2, activation="softmax")


def _model(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {"name": "model", "layers": [INPUT, *layers]},
        "registered_name": "Functional",
        **more,
    }


def _keras(
    config: dict[str, Any] | str,
    *,
    weights: bytes | None = None,
    members: tuple[tuple[str | zipfile.ZipInfo, bytes], ...] = (),
    without: str = "",
    method: int = zipfile.ZIP_STORED,
) -> bytes:
    buffer = io.BytesIO()
    ordinary = {
        "metadata.json": METADATA,
        "config.json": config if isinstance(config, str) else json.dumps(config),
        "model.weights.h5": _weights() if weights is None else weights,
    }
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in ordinary.items():
            if name != without:
                archive.writestr(name, content)
        for member, extra in members:
            archive.writestr(member, extra)
    return buffer.getvalue()


def _h5(
    config: dict[str, Any] | str | None,
    change: Callable[[h5py.File], object] = lambda _file: None,
    training: Any = None,
) -> bytes:
    def write(file: h5py.File) -> None:
        file.attrs["keras_version"] = "3.15.1"
        if config is not None:
            file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
        change(file)

    return _weights(write)


def _write(folder: Path, content: bytes, name: str = "model.keras") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


LAYERS = (Layer(name="image", class_name="InputLayer"), Layer(name="scores", class_name="Dense"))


def test_an_ordinary_archive_is_described(tmp_path: Path) -> None:
    content = _keras(_model(DENSE), members=(("assets/lookup/vocabulary.txt", b"cat\ndog\n"),))
    assert inspect_keras_file(_write(tmp_path, content)) == KerasFileReport(
        format="keras",
        keras_version="3.15.1",
        model_class="Functional",
        layers=LAYERS,
        weight_bytes=32,
        assets=("assets/lookup/vocabulary.txt",),
        foreign_training=(),
    )


def test_an_ordinary_h5_file_is_described(tmp_path: Path) -> None:
    report = inspect_keras_file(_write(tmp_path, _h5(_model(DENSE)), "model.h5"))
    assert (report.format, report.layers, report.weight_bytes) == ("h5", LAYERS, 32)


def test_a_foreign_loss_is_told_and_not_refused_because_serving_never_builds_it(tmp_path: Path) -> None:
    loss = {
        "module": "builtins",
        "class_name": "function",
        "config": "my_loss",
        "registered_name": "function",
    }
    adam = {"module": "keras.optimizers", "class_name": "Adam", "config": {}}
    content = _keras(_model(DENSE, compile_config={"loss": loss, "optimizer": adam}))
    assert inspect_keras_file(_write(tmp_path, content)).foreign_training == ("my_loss",)


def test_a_foreign_loss_of_an_inner_model_is_refused_because_keras_builds_it(tmp_path: Path) -> None:
    loss = {
        "module": "builtins",
        "class_name": "function",
        "config": "my_loss",
        "registered_name": "function",
    }
    inner = _model(DENSE, compile_config={"loss": loss})
    with pytest.raises(SourceError, match="function 'my_loss'"):
        inspect_keras_file(_write(tmp_path, _keras(_model(inner))))


def _function(name: Any, module: Any = "builtins") -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


LAMBDA = {
    "class_name": "__lambda__",
    "config": {"value": {"code": MARSHAL, "defaults": None, "closure": None}},
}
HOSTILE_CONFIGS: dict[str, tuple[dict[str, Any] | str, str]] = {
    "Lambda": (
        _model(_layer("Lambda", function=LAMBDA)),
        "layer 'bad': .* received Lambda, which runs Python bytecode",
    ),
    "Lambda under another module": (
        _model(_layer("Lambda", module="keras.src.layers.core.lambda_layer")),
        "received Lambda",
    ),
    "Lambda, as old Keras wrote it": (
        _model(
            {
                "class_name": "Lambda",
                "config": {"name": "bad", "function": [MARSHAL, None, None], "function_type": "lambda"},
            }
        ),
        "layer 'bad': .* Lambda",
    ),
    "Lambda in a wrapper": (
        _model(_layer("TimeDistributed", "outer", layer=_layer("Lambda", "inner"))),
        "layer 'inner': .* Lambda",
    ),
    "Lambda in an inner model": (_model(_model(_layer("Lambda"))), "layer 'bad'"),
    "Lambda in a list of cells": (
        _model(_layer("StackedRNNCells", "cells", cells=[DENSE, _layer("Lambda")])),
        "layer 'bad'",
    ),
    "a lambda as activation": (_model(_layer("Dense", activation=LAMBDA)), "layer 'bad': .* __lambda__"),
    "a lambda as initializer": (
        _model(_layer("Dense", kernel_initializer=LAMBDA)),
        "layer 'bad': .* __lambda__",
    ),
    "a lambda in a call's arguments": (
        _model({**DENSE, "inbound_nodes": [{"args": [LAMBDA], "kwargs": {}}]}),
        "layer 'scores': .* __lambda__",
    ),
    "a custom class": (
        _model(_layer("MyLayer", module="my_package.layers")),
        r"the class 'MyLayer' of 'my_package\.layers'",
    ),
    "a custom class of the main program": (
        _model(_layer("MyLayer", module="__main__")),
        "the class 'MyLayer' of '__main__'",
    ),
    "a registered class": (
        _model(_layer("Dense", registered="my_package>Dense")),
        "the registered class 'my_package>Dense'",
    ),
    "a registered class without a module": (
        _model(_layer("MyLayer", module=None, registered="p>MyLayer")),
        "registered class 'p>MyLayer'",
    ),
    "a class of the standard library": (
        _model(_layer("Popen", module="subprocess")),
        "the class 'Popen' of 'subprocess'",
    ),
    "a module that only looks like Keras": (
        _model(_layer("Dense", module="keras_evil")),
        "the class 'Dense' of 'keras_evil'",
    ),
    "an unknown class in Keras' name": (
        _model(_layer("get_file", module="keras.utils")),
        "the class 'get_file'",
    ),
    "a loader as a class": (_model(_layer("load_model", module="keras.saving")), "the class 'load_model'"),
    "a subclassed model": (
        {"module": "my_models", "class_name": "Net", "config": {}, "registered_name": "Net"},
        "the model: .* the class 'Net' of 'my_models'",
    ),
    "a function of the standard library": (
        _model(_layer("Dense", activation=_function("system", "os"))),
        "the function 'system' of 'os'",
    ),
    "a built-in function": (
        _model(_layer("Dense", activation=_function("eval"))),
        "the function 'eval' of 'builtins'",
    ),
    "a function that turns safety off": (
        _model(_layer("Dense", activation=_function("enable_unsafe_deserialization", "keras.config"))),
        "the function 'enable_unsafe_deserialization'",
    ),
    "a function that fetches files": (
        _model(_layer("Dense", activation=_function("get_file", "keras.utils"))),
        "the function 'get_file'",
    ),
    "an unknown activation by name": (
        _model(_layer("Dense", activation="my_activation")),
        "the function 'my_activation'",
    ),
    "a function without a name": (_model(_layer("Dense", activation=_function(["eval"]))), "names are not text"),
    "another SavedModel": (
        _model(_layer("TFSMLayer", filepath="/srv/evil")),
        "TFSMLayer, which loads another SavedModel",
    ),
    "a module of PyTorch": (
        _model(_layer("TorchModuleWrapper", module_="x")),
        "TorchModuleWrapper, which unpickles",
    ),
    "a function of JAX": (_model(_layer("JaxLayer")), "JaxLayer, which calls"),
    "a vocabulary of the host": (
        _model(_layer("StringLookup", vocabulary="/etc/passwd")),
        "reads its vocabulary from the file '/etc/passwd'",
    ),
    "a vocabulary from the network": (
        _model(_layer("TextVectorization", vocabulary="https://x/y")),
        "reads its vocabulary",
    ),
    "weights of words from the host": (
        _model(_layer("TextVectorization", idf_weights="/etc/shadow")),
        "reads its idf_weights",
    ),
    "a class whose name is not text": (_model(_layer(["Dense"])), "names are not text"),
    "a module whose name is not text": (_model(_layer("Dense", module={"x": 1})), "names are not text"),
    "one key twice": ('{"class_name": "Functional", "class_name": "Lambda", "config": {}}', "one key twice"),
    "not JSON": ("import os", "expected a model config in JSON"),
    "not an object": ("[]", "received a list"),
    "nested without end": ("[" * 200_000, "expected a model config in JSON"),
    "no class": ('{"config": {}}', "expected the class of a model"),
}


@pytest.mark.parametrize(("config", "message"), HOSTILE_CONFIGS.values(), ids=HOSTILE_CONFIGS.keys())
@pytest.mark.parametrize("form", ["keras", "h5"])
def test_a_config_that_keras_does_not_own_is_refused_with_its_layer(
    tmp_path: Path, form: str, config: dict[str, Any] | str, message: str
) -> None:
    content = _keras(config) if form == "keras" else _h5(config)
    with pytest.raises(SourceError, match=message):
        inspect_keras_file(_write(tmp_path, content, f"model.{form}"))


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
        _keras(_model(DENSE), weights=_weights(change)) if form == "keras" else _h5(_model(DENSE), change)
    )
    with pytest.raises(SourceError, match=message):
        inspect_keras_file(_write(tmp_path, content, f"model.{form}"))


def test_groups_that_hold_themselves_are_read_once(tmp_path: Path) -> None:
    assert inspect_keras_file(_write(tmp_path, _h5(_model(DENSE), _many))).weight_bytes == 32


def _info(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


GOOD = _model(DENSE)
HOSTILE_ARCHIVES = {
    "a step out": (_keras(GOOD, members=(("assets/../../evil", b"x"),)), "a step out of the folder"),
    "an absolute path": (_keras(GOOD, members=(("/tmp/evil", b"x"),)), "an absolute path"),
    "a link": (
        _keras(GOOD, members=((_info("assets/x", stat.S_IFLNK | 0o777), b"/etc/passwd"),)),
        "a link, device",
    ),
    "a program beside the model": (
        _keras(GOOD, members=(("evil.py", b"import os"),)),
        "received 'evil.py' as well",
    ),
    "pickled weights": (
        _keras(GOOD, members=(("model.weights.npz", b"x"),)),
        r"received 'model\.weights\.npz' as well",
    ),
    "a second config in capitals": (_keras(GOOD, members=(("CONFIG.JSON", b"{}"),)), "stay apart"),
    "a bomb": (
        _keras(GOOD, members=(("assets/zeros", b"\0" * 64_000_000),), method=zipfile.ZIP_DEFLATED),
        "when unpacked",
    ),
    "no config": (_keras(GOOD, without="config.json"), r"received no config\.json"),
    "no weights": (_keras(GOOD, without="model.weights.h5"), r"received no model\.weights\.h5"),
    "weights that are none": (_keras(GOOD, weights=b"not HDF5"), "expected an HDF5 file of weights"),
    "cut short": (_keras(GOOD)[:-30], "expected a whole .keras archive"),
    "a flipped byte": (_keras(GOOD).replace(b"softmax", b"softmap"), "expected a whole .keras archive"),
    "a pickle": (b"\x80\x04\x95cos\nsystem\n", "received neither"),
    "an empty file": (b"", "received neither"),
    "weights alone": (_h5(None), "weights without a config"),
    "HDF5 cut short": (_h5(GOOD)[:600], "expected an HDF5 file of weights"),
}


@pytest.mark.parametrize(("content", "message"), HOSTILE_ARCHIVES.values(), ids=HOSTILE_ARCHIVES.keys())
def test_an_archive_that_no_keras_wrote_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        inspect_keras_file(_write(tmp_path, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="correct the path"):
        inspect_keras_file(tmp_path / "nothing.keras")


def test_a_file_is_judged_without_keras_or_tensorflow(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from model_export.keras_file import inspect_keras_file; "
        "inspect_keras_file(Path(sys.argv[1])); sys.exit(bool({'keras', 'tensorflow', 'pickle5'} & sys.modules.keys()))"
    )
    path = _write(tmp_path, _keras(GOOD))
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

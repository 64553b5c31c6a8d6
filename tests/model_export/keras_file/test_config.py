"""Configs that would run code, or that Keras does not own: refused by name, with the layer, in both kinds of file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_export.errors import SourceError
from model_export.keras_file import inspect_keras_file
from tests.model_export.keras_file.keras_files import (
    DENSE,
    MARSHAL,
    h5_file,
    keras_archive,
    layer,
    model,
    write,
)


def test_a_foreign_loss_is_told_and_not_refused_because_serving_never_builds_it(tmp_path: Path) -> None:
    loss = {
        "module": "builtins",
        "class_name": "function",
        "config": "my_loss",
        "registered_name": "function",
    }
    adam = {"module": "keras.optimizers", "class_name": "Adam", "config": {}}
    content = keras_archive(model(DENSE, compile_config={"loss": loss, "optimizer": adam}))
    assert inspect_keras_file(write(tmp_path, content)).foreign_training == ("my_loss",)


def test_a_foreign_loss_of_an_inner_model_is_refused_because_keras_builds_it(tmp_path: Path) -> None:
    loss = {
        "module": "builtins",
        "class_name": "function",
        "config": "my_loss",
        "registered_name": "function",
    }
    inner = model(DENSE, compile_config={"loss": loss})
    with pytest.raises(SourceError, match="function 'my_loss'"):
        inspect_keras_file(write(tmp_path, keras_archive(model(inner))))


def _function(name: Any, module: Any = "builtins") -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


LAMBDA = {
    "class_name": "__lambda__",
    "config": {"value": {"code": MARSHAL, "defaults": None, "closure": None}},
}
HOSTILE_CONFIGS: dict[str, tuple[dict[str, Any] | str, str]] = {
    "Lambda": (
        model(layer("Lambda", function=LAMBDA)),
        "layer 'bad': .* received Lambda, which runs Python bytecode",
    ),
    "Lambda under another module": (
        model(layer("Lambda", module="keras.src.layers.core.lambda_layer")),
        "received Lambda",
    ),
    "Lambda, as old Keras wrote it": (
        model(
            {
                "class_name": "Lambda",
                "config": {"name": "bad", "function": [MARSHAL, None, None], "function_type": "lambda"},
            }
        ),
        "layer 'bad': .* Lambda",
    ),
    "Lambda in a wrapper": (
        model(layer("TimeDistributed", "outer", layer=layer("Lambda", "inner"))),
        "layer 'inner': .* Lambda",
    ),
    "Lambda in an inner model": (model(model(layer("Lambda"))), "layer 'bad'"),
    "Lambda in a list of cells": (
        model(layer("StackedRNNCells", "cells", cells=[DENSE, layer("Lambda")])),
        "layer 'bad'",
    ),
    "a lambda as activation": (model(layer("Dense", activation=LAMBDA)), "layer 'bad': .* __lambda__"),
    "a lambda as initializer": (
        model(layer("Dense", kernel_initializer=LAMBDA)),
        "layer 'bad': .* __lambda__",
    ),
    "a lambda in a call's arguments": (
        model({**DENSE, "inbound_nodes": [{"args": [LAMBDA], "kwargs": {}}]}),
        "layer 'scores': .* __lambda__",
    ),
    "a custom class": (
        model(layer("MyLayer", module="my_package.layers")),
        r"the class 'MyLayer' of 'my_package\.layers'",
    ),
    "a custom class of the main program": (
        model(layer("MyLayer", module="__main__")),
        "the class 'MyLayer' of '__main__'",
    ),
    "a registered class": (
        model(layer("Dense", registered="my_package>Dense")),
        "the registered class 'my_package>Dense'",
    ),
    "a registered class without a module": (
        model(layer("MyLayer", module=None, registered="p>MyLayer")),
        "registered class 'p>MyLayer'",
    ),
    "a class of the standard library": (
        model(layer("Popen", module="subprocess")),
        "the class 'Popen' of 'subprocess'",
    ),
    "a module that only looks like Keras": (
        model(layer("Dense", module="keras_evil")),
        "the class 'Dense' of 'keras_evil'",
    ),
    "an unknown class in Keras' name": (
        model(layer("get_file", module="keras.utils")),
        "the class 'get_file'",
    ),
    "a loader as a class": (model(layer("load_model", module="keras.saving")), "the class 'load_model'"),
    "a subclassed model": (
        {"module": "my_models", "class_name": "Net", "config": {}, "registered_name": "Net"},
        "the model: .* the class 'Net' of 'my_models'",
    ),
    "a function of the standard library": (
        model(layer("Dense", activation=_function("system", "os"))),
        "the function 'system' of 'os'",
    ),
    "a built-in function": (
        model(layer("Dense", activation=_function("eval"))),
        "the function 'eval' of 'builtins'",
    ),
    "a function that turns safety off": (
        model(layer("Dense", activation=_function("enable_unsafe_deserialization", "keras.config"))),
        "the function 'enable_unsafe_deserialization'",
    ),
    "a function that fetches files": (
        model(layer("Dense", activation=_function("get_file", "keras.utils"))),
        "the function 'get_file'",
    ),
    "an unknown activation by name": (
        model(layer("Dense", activation="my_activation")),
        "the function 'my_activation'",
    ),
    "a function without a name": (
        model(layer("Dense", activation=_function(["eval"]))),
        "names are not text",
    ),
    "another SavedModel": (
        model(layer("TFSMLayer", filepath="/srv/evil")),
        "TFSMLayer, which loads another SavedModel",
    ),
    "a module of PyTorch": (
        model(layer("TorchModuleWrapper", module_="x")),
        "TorchModuleWrapper, which unpickles",
    ),
    "a function of JAX": (model(layer("JaxLayer")), "JaxLayer, which calls"),
    "a vocabulary of the host": (
        model(layer("StringLookup", vocabulary="/etc/passwd")),
        "reads its vocabulary from the file '/etc/passwd'",
    ),
    "a vocabulary from the network": (
        model(layer("TextVectorization", vocabulary="https://x/y")),
        "reads its vocabulary",
    ),
    "weights of words from the host": (
        model(layer("TextVectorization", idf_weights="/etc/shadow")),
        "reads its idf_weights",
    ),
    "a class whose name is not text": (model(layer(["Dense"])), "names are not text"),
    "a module whose name is not text": (model(layer("Dense", module={"x": 1})), "names are not text"),
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
    content = keras_archive(config) if form == "keras" else h5_file(config)
    with pytest.raises(SourceError, match=message):
        inspect_keras_file(write(tmp_path, content, f"model.{form}"))

"""A Keras config walked as data: which classes and functions it would build, and the refusal of all that Keras does not own.

A config is a tree of objects `{"class_name": …, "config": …}`; Keras builds every one it meets, however deep. So the walk visits
every value, asks each object for its name, and lets only known names pass. It keeps its own stack: depth costs no recursion.
`known_names.txt` is written by `python -m model_export.keras_file.record_names`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from model_export.errors import SourceError

MAX_CONFIG_BYTES: Final = 64 << 20
"""The configs of the largest models that Keras ships take about 1 MB."""

_VALUES: Final = frozenset(
    {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
)
"""Marks of plain values, which Keras turns back without looking up any class."""

_CODE: Final = {
    "Lambda": "runs Python bytecode from the file",
    "__lambda__": "runs Python bytecode from the file",
    "TFSMLayer": "loads another SavedModel from a path",
    "TorchModuleWrapper": "unpickles a module of another framework",
    "JaxLayer": "calls functions of another framework",
    "FlaxLayer": "calls functions of another framework",
    "__typespec__": "looks up a class of TensorFlow by name",
}
_LOOKUPS: Final = frozenset({"StringLookup", "IntegerLookup", "IndexLookup", "TextVectorization"})
_ACTIVATIONS: Final = frozenset({"activation", "recurrent_activation"})
_REMEDY: Final = (
    "where its code is at home, call `model.export(folder)`, and give that SavedModel folder as the source"
)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a model."""

    name: str
    class_name: str


@dataclass(frozen=True, kw_only=True)
class _Visit:
    value: object
    layer: str
    """Name of the layer around the value, for messages."""
    key: str


def parse_config(text: bytes, *, where: str) -> Mapping[str, Any]:
    """Read a config from JSON. Raises SourceError when it is not an object, is too large or too deep, or says one key twice."""
    if len(text) > MAX_CONFIG_BYTES:
        raise SourceError(
            f"{where}: expected a model config of at most {MAX_CONFIG_BYTES} bytes, received {len(text)}; do not use it"
        )
    try:
        config = json.loads(text, object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"{where}: expected a model config in JSON, received {error}; save the model again"
        ) from error
    if not isinstance(config, dict):
        raise SourceError(
            f"{where}: expected a model config, received a {type(config).__name__}; save the model again"
        )
    return config


def checked_layers(config: Mapping[str, Any], *, where: str) -> tuple[Layer, ...]:
    """Return the layers of a model after every object in its config has passed. Raises SourceError at the first that does not."""
    layers: list[Layer] = []
    waiting = [_Visit(value=config, layer="", key="")]
    while waiting:
        visit = waiting.pop()
        if isinstance(visit.value, dict):
            layer = _name(visit.value) or visit.layer
            if "class_name" in visit.value:
                _check_object(visit.value, layer, where)
                if isinstance(visit.value.get("inbound_nodes"), list) or visit.key == "layers":
                    layers.append(Layer(name=layer, class_name=visit.value["class_name"]))
            waiting.extend(
                _Visit(value=value, layer=layer, key=key) for key, value in reversed(visit.value.items())
            )
        elif isinstance(visit.value, list):
            waiting.extend(
                _Visit(value=value, layer=visit.layer, key=visit.key) for value in reversed(visit.value)
            )
        elif (
            isinstance(visit.value, str)
            and visit.key in _ACTIVATIONS
            and visit.value not in known_functions()
        ):
            raise _refused(where, visit.layer, f"the function {visit.value!r}, which is not one of Keras")
    return tuple(layers)


@cache
def known_classes() -> frozenset[str]:
    """Return the classes that a config of Keras itself may name."""
    return _recorded()["classes"]


@cache
def known_functions() -> frozenset[str]:
    """Return the functions that a config of Keras itself may name."""
    return _recorded()["functions"]


def _check_object(facts: Mapping[str, Any], layer: str, where: str) -> None:
    name, module, registered = facts["class_name"], facts.get("module"), facts.get("registered_name")
    if (
        not isinstance(name, str)
        or not isinstance(module, str | None)
        or not isinstance(registered, str | None)
    ):
        raise _refused(where, layer, f"an object whose names are not text: {name!r:.80}")
    if name in _CODE:
        raise _refused(where, layer, f"{name}, which {_CODE[name]}")
    if name in _VALUES:
        return
    if name == "function":
        _check_function(facts, layer, where)
        return
    if module not in {None, "keras"} and not str(module).startswith("keras."):
        raise _refused(where, layer, f"the class {name!r} of {module!r}, which is not part of Keras")
    if registered not in {None, name}:
        raise _refused(where, layer, f"the registered class {registered!r}, which is not part of Keras")
    if name not in known_classes():
        raise _refused(where, layer, f"the class {name!r}, which is not one of Keras")
    _check_vocabulary(name, facts.get("config"), layer, where)


def _check_function(facts: Mapping[str, Any], layer: str, where: str) -> None:
    name, module = facts.get("config"), facts.get("module")
    is_keras = module in {None, "builtins", "keras"} or str(module).startswith("keras.")
    if not isinstance(name, str) or not is_keras or name not in known_functions():
        raise _refused(
            where, layer, f"the function {name!r:.80} of {module!r:.80}, which is not one of Keras"
        )


def _check_vocabulary(name: str, config: object, layer: str, where: str) -> None:
    if name in _LOOKUPS and isinstance(config, dict):
        for key in ("vocabulary", "idf_weights"):
            if isinstance(config.get(key), str):
                found = f"{name} that reads its {key} from the file {config[key]!r:.80} of this machine"
                raise _refused(where, layer, found)


def _name(facts: Mapping[str, Any]) -> str:
    inner = facts.get("config")
    name = inner.get("name") if isinstance(inner, dict) else None
    return name if isinstance(name, str) and "class_name" in facts else ""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("one key twice in one object")
    return found


def _refused(where: str, layer: str, found: str) -> SourceError:
    place = f"layer {layer!r}" if layer else "the model"
    return SourceError(
        f"{where}: {place}: expected only what Keras itself provides, received {found}; {_REMEDY}"
    )


@cache
def _recorded() -> dict[str, frozenset[str]]:
    text = files(__package__).joinpath("known_names.txt").read_text(encoding="utf-8")
    parts = {section.partition("]")[0]: section.partition("]")[2] for section in text.split("[")[1:]}
    return {name: frozenset(words.split()) for name, words in parts.items()}


def names_elsewhere(value: object) -> Iterator[str]:
    """Yield the names of objects in a training config that are not Keras' own: the model can be loaded only without it."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            module, name = each.get("module"), each.get("class_name")
            if name == "function":
                name = each.get("config")
            is_known = isinstance(name, str) and (
                name in known_classes() or name in known_functions() or name in _VALUES
            )
            if isinstance(name, str) and (
                not is_known or not str(module or "keras").startswith(("keras", "builtins"))
            ):
                yield name
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)

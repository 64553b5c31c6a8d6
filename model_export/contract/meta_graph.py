"""A MetaGraphDef read as bytes: its signatures, tags, assets, initialisers and graph.

Field numbers are those of `tensorflow/core/protobuf/{saved_model,meta_graph,saver}.proto`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from model_export.artifact import Signature, TensorSpec
from model_export.contract.dtypes import dtype_name
from model_export.contract.functions import Callable, read_functions
from model_export.contract.graph import GraphReader, read_shape
from model_export.contract.wire import VARINT, Field, Message
from model_export.errors import ContractError

_INIT_COLLECTIONS: Final = frozenset({"saved_model_main_op", "legacy_init_op", "saved_model_initializers"})
_ASSET_COLLECTION: Final = "saved_model_assets"
_SIDES: Final = {1: "inputs", 2: "outputs"}
_INTERNAL: Final = "__saved_model_"
"""Signatures with this prefix are the loader's own: `__saved_model_init_op`, `__saved_model_train_op`."""


@dataclass
class MetaGraph:
    """What was read of one MetaGraphDef."""

    reader: GraphReader
    tags: list[str] = field(default_factory=list)
    writer_version: str = ""
    signatures: dict[str, Signature] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    """Tensors and nodes that a server runs: outputs of signatures, and initialisers."""
    restore: list[str] = field(default_factory=list)
    """The node that the loader runs to restore variables."""
    assets: dict[str, str] = field(default_factory=dict)
    """Tensor fed by the loader -> file name under `assets/`."""
    functions: tuple[Callable, ...] = ()
    """What `tf.saved_model.load` offers beside the signatures."""
    tensors: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """Signature and alias -> the tensors of the graph behind it; an alias of both sides is told apart by `inputs/` or `outputs/`."""


def read_meta_graph(message: Message) -> MetaGraph:
    """Read the one meta graph to serve. Raises ContractError where there is none, or several."""
    found = [_read_meta_graph(message, each) for each in message.fields() if each.number == 2]
    if len(found) > 1:
        serving = [each for each in found if each.tags == ["serve"]]
        found = serving if len(serving) == 1 else found
    if len(found) != 1:
        raise ContractError(
            f"{message.where}: expected one meta graph to serve, received {len(found)}; export the model with the tag `serve` alone"
        )
    return found[0]


def _read_meta_graph(message: Message, meta_graph: Field) -> MetaGraph:
    found = MetaGraph(GraphReader(message))
    for each in message.within(meta_graph):
        if each.number == 1:
            _read_meta_info(message, each, found)
        elif each.number == 2:
            found.reader.read(each)
        elif each.number == 3:
            found.restore.extend(message.text(part) for part in message.within(each) if part.number == 3)
        elif each.number == 4:
            _read_collection(message, each, found)
        elif each.number == 5:
            _read_signature(message, each, found)
        elif each.number == 6:
            _read_asset(message, each, found)
        elif each.number == 7:
            found.functions = read_functions(message, each)
    return found


def _read_meta_info(message: Message, info: Field, found: MetaGraph) -> None:
    for each in message.within(info):
        if each.number == 4:
            found.tags.append(message.text(each))
        elif each.number == 5:
            found.writer_version = message.text(each)


def _read_collection(message: Message, entry: Field, found: MetaGraph) -> None:
    key, value = _entry(message, entry)
    if value is None:
        return
    for kind in message.within(value):
        if key in _INIT_COLLECTIONS and kind.number == 1:
            found.entries.extend(message.text(part) for part in message.within(kind) if part.number == 1)
        elif key == _ASSET_COLLECTION and kind.number == 5:
            for packed in message.within(kind):
                for part in message.within(packed):
                    if part.number == 2:
                        _read_asset(message, part, found)


def _read_asset(message: Message, asset: Field, found: MetaGraph) -> None:
    tensor = filename = ""
    for each in message.within(asset):
        if each.number == 1:
            tensor = next((message.text(part) for part in message.within(each) if part.number == 1), "")
        elif each.number == 2:
            filename = message.text(each)
    found.assets[tensor] = filename


def _read_signature(message: Message, entry: Field, found: MetaGraph) -> None:
    name, value = _entry(message, entry)
    if value is None:
        return
    tensors: dict[int, dict[str, TensorSpec]] = {1: {}, 2: {}}
    defaults: dict[str, str] = {}
    method = ""
    for each in message.within(value):
        if each.number in tensors:
            alias, info = _entry(message, each)
            tensor, spec = _tensor(message, alias, info)
            tensors[each.number][alias] = spec
            found.tensors[name, f"{_SIDES[each.number]}/{alias}"] = tuple(tensor)
            found.entries.extend(tensor if each.number == 2 else ())
        elif each.number == 3:
            method = message.text(each)
        elif each.number == 4:
            alias, default = _entry(message, each)
            defaults[alias] = _digest(message, default)
    if not name.startswith(_INTERNAL):
        inputs = tuple(
            replace(spec, default=defaults.get(alias)) for alias, spec in sorted(tensors[1].items())
        )
        outputs = tuple(spec for _, spec in sorted(tensors[2].items()))
        found.signatures[name] = Signature(name=name, inputs=inputs, outputs=outputs, method=method)


def _digest(message: Message, tensor: Field | None) -> str:
    content = b"" if tensor is None else message.content(tensor)
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _tensor(message: Message, alias: str, info: Field | None) -> tuple[list[str], TensorSpec]:
    """Return the graph tensors behind one alias, and what clients see of it."""
    names: list[str] = []
    encoding, dtype = "", 0
    axes: tuple[int | None, ...] | None = ()
    for each in message.within(info) if info is not None else ():
        if each.number == 1:
            names.append(message.text(each))
        elif each.number == 2 and each.kind == VARINT:
            dtype = each.start
        elif each.number == 3:
            shape, is_open = read_shape(message, each)
            axes = None if is_open else shape
        elif each.number == 4:
            encoding = "sparse "
            names.extend(message.text(part) for part in message.within(each))
        elif each.number == 5:
            encoding = "composite "
            names.extend(_components(message, each))
    return names, TensorSpec(name=alias, dtype=encoding + dtype_name(dtype), shape=axes)


def _components(message: Message, composite: Field) -> Iterator[str]:
    for each in message.within(composite):
        if each.number == 2:
            yield from (message.text(part) for part in message.within(each) if part.number == 1)


def _entry(message: Message, entry: Field) -> tuple[str, Field | None]:
    key, value = "", None
    for each in message.within(entry):
        if each.number == 1:
            key = message.text(each)
        elif each.number == 2:
            value = each
    return key, value

"""`saved_model.pb` -> Contract, without TensorFlow.

The file is mapped, walked by its field lengths and hashed; its weights are never copied into Python.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model_export.contract import safety
from model_export.contract.document import Contract
from model_export.contract.functions import Callable
from model_export.contract.meta_graph import MetaGraph, read_meta_graph
from model_export.contract.reach import foreign_vocabularies, reachable_ops
from model_export.contract.wire import Message
from model_export.errors import ContractError

GRAPH_FILE: Final = "saved_model.pb"


@dataclass(frozen=True, kw_only=True)
class Servable:
    """A contract, with what only people ask for: it is shown and never compared."""

    contract: Contract
    tensors: Mapping[tuple[str, str], tuple[str, ...]]
    """Signature and `inputs/<alias>` or `outputs/<alias>` -> the graph's own names of the tensors."""
    functions: tuple[Callable, ...]
    """What `tf.saved_model.load` offers beside the signatures."""


def read_contract(version_path: Path) -> Contract:
    """Read the contract of the servable in a version folder.

    Raises ContractError when there is no `saved_model.pb`, or it is not one whole SavedModel with one meta graph.
    """
    return read_servable(version_path).contract


def read_servable(version_path: Path) -> Servable:
    """Read the contract of the servable in a version folder, and what is behind it. Raises ContractError as `read_contract` does."""
    path = version_path / GRAPH_FILE
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
            meta_graph = read_meta_graph(Message(buffer, where=str(path)))
        contract = _contract(meta_graph, digest=_digest(version_path))
        return Servable(contract=contract, tensors=meta_graph.tensors, functions=meta_graph.functions)
    except OSError as error:
        raise ContractError(
            f"{path}: expected a SavedModel, received {error}; name a version folder that holds one"
        ) from error
    except ValueError as error:  # an empty file cannot be mapped
        raise ContractError(
            f"{path}: expected a SavedModel, received an empty file; export the model again"
        ) from error


def _contract(meta_graph: MetaGraph, *, digest: str) -> Contract:
    graph = meta_graph.reader.graph
    return Contract(
        signatures=tuple(meta_graph.signatures[name] for name in sorted(meta_graph.signatures)),
        writer_version=meta_graph.writer_version,
        tags=tuple(sorted(meta_graph.tags)),
        ops=dict(sorted(graph.ops.items())),
        custom_ops=tuple(sorted(graph.ops.keys() - safety.registered_ops() - graph.functions.keys())),
        file_ops=_file_ops(meta_graph),
        python_ops=tuple(sorted(graph.ops.keys() & safety.PYTHON_OPS)),
        host_ops=tuple(sorted(graph.ops.keys() & safety.HOST_OPS)),
        assets=tuple(sorted(set(meta_graph.assets.values()))),
        constant_bytes=graph.constant_bytes,
        variable_bytes=graph.variable_bytes,
        node_count=graph.node_count,
        digest=digest,
    )


def _file_ops(meta_graph: MetaGraph) -> tuple[str, ...]:
    graph = meta_graph.reader.graph
    served = reachable_ops(graph, meta_graph.entries) & safety.CHECKPOINT_OPS
    restored = reachable_ops(graph, meta_graph.restore) & (safety.CHECKPOINT_OPS - safety.CHECKPOINT_READERS)
    vocabularies = frozenset(foreign_vocabularies(graph, frozenset(meta_graph.assets)))
    return tuple(sorted((graph.ops.keys() & safety.FILE_OPS) | served | restored | vocabularies))


def _digest(version_path: Path) -> str:
    """Return `sha256:` over every file that decides what the servable computes, by path."""
    total = hashlib.sha256()
    for path in _computing_files(version_path):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(version_path).as_posix()}\0{content}\n".encode())
    return f"sha256:{total.hexdigest()}"


def _computing_files(version_path: Path) -> list[Path]:
    folders = (version_path / "variables", version_path / "assets")
    inside = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sorted([version_path / GRAPH_FILE, *inside])

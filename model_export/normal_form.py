"""The one form that every door leads to: a graph whose weights are constants, and how to ask it.

A leaf: sources, freezing, writing and checking all speak in these values and need not know one another. The protobuf types come
from TensorFlow, but only for the type checker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file, such as a vocabulary, that the graph reads when it is loaded."""

    tensor_name: str
    """The string tensor that the loader feeds with the file's path, such as `asset_path:0`."""
    filename: str
    """Name inside the servable's `assets` folder."""
    path: Path
    """Where its content lies now; never written into the servable."""


@dataclass(frozen=True, kw_only=True)
class FoldedWeights:
    """What became constants."""

    variables: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Preprocessed:
    """A tensor that separates what happens to a raw input from what the network does with it."""

    tensor: str
    """Such as `pixels:0`."""
    dtype: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, kw_only=True)
class FrozenModel:
    """A model in one protobuf."""

    graph: GraphDef
    signatures: Mapping[str, SignatureDef]
    initializer: str | None
    """Node that fills static tables after loading; None where there is nothing to fill."""
    assets: tuple[Asset, ...]
    folded: FoldedWeights
    preprocessed: Preprocessed | None = None
    """What a server may remember instead of the raw input."""

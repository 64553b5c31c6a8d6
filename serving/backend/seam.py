"""The seam: what the rest of the server may know about a loaded model."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from serving.protos import meta_graph_pb2
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature, TensorSpec

Runner = Callable[[Sequence[Array]], list[Array]]
"""Computes the outputs it was bound to from arrays for the inputs it was bound to, in the same order.

Blocks without holding the GIL, may be called by several threads at once. Raises InvalidRequest when
TensorFlow refuses the values and ModelError when it fails.
"""


class Session(Protocol):
    """One model version, loaded once and kept until it is unloaded."""

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """What it can be asked, by name."""

    @property
    def meta_graph(self) -> meta_graph_pb2.MetaGraphDef:
        """The signatures and the list of operations as protobuf; the graph itself is left out."""

    @property
    def runs_in_callers_thread(self) -> bool:
        """Whether a call is computed by the thread that makes it: its cost is then that thread's CPU time."""

    def bind(self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Runner:
        """A callable for one set of inputs and outputs. Raises ModelError when the graph lacks one."""

    def close(self) -> None:
        """Give back what the session holds; it must not be running."""


Loader = Callable[[Path], Session]
"""Loads the SavedModel in a folder; raises ModelError."""

"""A trained model whose graph is known, and whose weights are restored when somebody first needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from model_export.errors import SourceError
from model_export.normal_form import Asset
from model_export.sessions import first_line, import_tensorflow, run_signature

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A graph in a session. Weights come late, so that a model that cannot be frozen is refused before the work."""

    session: Any
    """tf.compat.v1.Session on the graph, with the exact settings of `sessions`."""
    graph: GraphDef
    signatures: Mapping[str, SignatureDef]
    initializer: str | None
    assets: tuple[Asset, ...]
    restore: Callable[[], None]
    """Restore the weights and fill the tables, once; further calls do nothing. Raises SourceError for damaged files."""

    def read_values(self, variables: Sequence[Any]) -> Sequence[NDArray[Any]]:
        """Return the values of variables (with `name`, `dtype`, `is_resource`), in order.

        Raises SourceError for a variable that the source leaves without a value.
        """
        self.restore()
        tf = import_tensorflow()
        with self.session.graph.as_default():
            reads = [
                _read(self.session.graph.get_tensor_by_name(f"{each.name}:0"), each.dtype)
                for each in variables
            ]
        try:
            return list(self.session.run(reads))
        except tf.errors.FailedPreconditionError as error:
            message = f"expected a value for every variable, received one without ({first_line(error)}); train and save again"
            raise SourceError(message) from error

    def answer(self, signature: SignatureDef, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run one signature on inputs by alias. Raises TensorFlow's own errors for inputs that it does not take."""
        self.restore()
        return run_signature(self.session, signature, inputs)


def _read(variable: Any, dtype: int) -> Any:  # noqa: ANN401 - tf.Tensor
    """Return a tensor with the value of a variable, from a node that is there already where there is one.

    A new node makes the session take in the graph again, which costs more than reading all weights.
    """
    tf = import_tensorflow()
    if variable.dtype != tf.resource:
        return variable
    existing = (
        each for each in variable.consumers() if each.type == "ReadVariableOp" and not each.control_inputs
    )
    for read in existing:
        return read.outputs[0]
    return tf.raw_ops.ReadVariableOp(resource=variable, dtype=dtype)

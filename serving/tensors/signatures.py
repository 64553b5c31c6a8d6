"""What a model can be asked: its signatures, as values that cost nothing to look at.

Read once from the MetaGraphDef when a version loads; the request path never touches protobuf for them.
"""

import dataclasses
import functools
from collections.abc import Mapping

from serving.errors import ModelError
from serving.protos import meta_graph_pb2, tensor_shape_pb2
from serving.tensors.dtypes import BY_NUMBER, DataType

DEFAULT_SIGNATURE = "serving_default"
"""tensorflow/cc/saved_model/signature_constants.h, kDefaultServingSignatureDefKey."""
INIT_SIGNATURE = "__saved_model_init_op"
"""The loader's own entry: no tensor that a client may ask for."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TensorSpec:
    """One input or output of a signature."""

    alias: str
    """The name that clients use."""
    dtype: DataType
    shape: tuple[int | None, ...] | None
    """Sizes of the axes, None where any size goes; None altogether when even the rank is open."""
    tensor: str
    """The name inside the graph, `operation:index`."""

    def accepts(self, shape: tuple[int, ...]) -> bool:
        if self.shape is None:
            return True
        if len(shape) != len(self.shape):
            return False
        # A loop: a generator costs three times as much, and this is asked for every input of every request.
        for expected, size in zip(self.shape, shape, strict=True):
            if expected is not None and expected != size:
                return False
        return True

    @property
    def has_batch_axis(self) -> bool:
        """Whether the first axis takes any size: only then may requests travel together."""
        return self.shape is not None and len(self.shape) > 0 and self.shape[0] is None

    def __str__(self) -> str:
        return f"{self.alias}: {self.dtype.name}{shape_text(self.shape)}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Signature:
    """One question that a model answers."""

    name: str
    method: str
    inputs: Mapping[str, TensorSpec]
    """By alias, in alphabetical order."""
    outputs: Mapping[str, TensorSpec]
    """By alias, in alphabetical order."""

    @functools.cached_property
    def all_outputs(self) -> tuple[TensorSpec, ...]:
        """In the order of `outputs`: always the same object, so that who asks for all is known at a glance."""
        return tuple(self.outputs.values())

    @functools.cached_property
    def row_width(self) -> int | None:
        """How many numbers a row has, if its only input is made of rows of floating-point numbers."""
        spec = next(iter(self.inputs.values()), None)
        if spec is None or len(self.inputs) != 1 or not spec.dtype.is_float or len(spec.shape or ()) != 2:
            return None
        return (spec.shape or (None,))[-1] or None

    @functools.cached_property
    def is_batched(self) -> bool:
        """Whether every input and output has rows along its first axis."""
        tensors = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and all(tensor.has_batch_axis for tensor in tensors)


def shape_text(shape: tuple[int | None, ...] | tuple[int, ...] | None) -> str:
    """`[-1,784]`, as TensorFlow Serving prints shapes."""
    if shape is None:
        return "[?]"
    return "[" + ",".join("-1" if size is None else str(size) for size in shape) + "]"


def read_signatures(meta_graph: meta_graph_pb2.MetaGraphDef) -> dict[str, Signature]:
    """The signatures of a model, by name.

    Raises ModelError when one uses a data type or a tensor encoding that cannot be sent over the wire.
    """
    return {
        name: _read_signature(name, definition)
        for name, definition in sorted(meta_graph.signature_def.items())
        if name != INIT_SIGNATURE
    }


def _read_signature(name: str, definition: meta_graph_pb2.SignatureDef) -> Signature:
    return Signature(
        name=name,
        method=definition.method_name,
        inputs=_read_specs(name, definition.inputs),
        outputs=_read_specs(name, definition.outputs),
    )


def _read_specs(signature: str, infos: Mapping[str, meta_graph_pb2.TensorInfo]) -> dict[str, TensorSpec]:
    return {alias: _read_spec(signature, alias, infos[alias]) for alias in sorted(infos)}


def _read_spec(signature: str, alias: str, info: meta_graph_pb2.TensorInfo) -> TensorSpec:
    if info.dtype not in BY_NUMBER or info.WhichOneof("encoding") != "name":
        raise ModelError(
            f"signature {signature} has the tensor {alias} of type {info.dtype} as {info.WhichOneof('encoding')}; "
            "only dense tensors of plain data types are served: export the model without it"
        )
    return TensorSpec(
        alias=alias, dtype=BY_NUMBER[info.dtype], shape=_read_shape(info.tensor_shape), tensor=info.name
    )


def _read_shape(shape: tensor_shape_pb2.TensorShapeProto) -> tuple[int | None, ...] | None:
    if shape.unknown_rank:
        return None
    return tuple(None if axis.size < 0 else axis.size for axis in shape.dim)

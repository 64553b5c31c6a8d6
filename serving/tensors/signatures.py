"""What a model can be asked: its signatures, as values that cost nothing to look at.

`serving.tensors.meta_graphs` reads them once when a version loads; the request path never touches protobuf for them.
"""

import dataclasses
import functools
from collections.abc import Collection, Mapping

from serving.tensors.dtypes import Array, DataType

DEFAULT_SIGNATURE = "serving_default"
"""tensorflow/cc/saved_model/signature_constants.h, kDefaultServingSignatureDefKey."""


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
    defaults: Mapping[str, Array] = dataclasses.field(default_factory=dict, compare=False)
    """What an input is that a question leaves out; inputs that are not here must be sent."""

    @functools.cached_property
    def required(self) -> frozenset[str]:
        """The inputs that every question must have."""
        return frozenset(self.inputs.keys() - self.defaults.keys())

    def takes(self, sent: Collection[str]) -> bool:
        """Whether a question with just these inputs can be answered."""
        return self.required <= set(sent) <= self.inputs.keys()

    def complete(self, arrays: Mapping[str, Array]) -> list[Array]:
        """Every input in order, those that were not sent by their defaults."""
        return [arrays[alias] if alias in arrays else self.defaults[alias] for alias in self.inputs]

    @functools.cached_property
    def shapeless_inputs(self) -> Mapping[str, TensorSpec]:
        """The inputs, each of any shape: for a question that TensorFlow is to judge."""
        return {alias: dataclasses.replace(spec, shape=None) for alias, spec in self.inputs.items()}

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

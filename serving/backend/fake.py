"""A backend without TensorFlow, for tests of everything above the seam. A product, not a patch."""

from collections.abc import Callable, Mapping, Sequence

from serving.backend.seam import Runner
from serving.errors import InvalidRequest
from serving.protos import meta_graph_pb2
from serving.tensors.dtypes import BY_NAME, Array
from serving.tensors.signatures import Signature, TensorSpec

Function = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""Computes every output of a signature, by alias, from its inputs, by alias."""


class FakeBackend:
    """A session whose signatures are Python functions.

    `calls` holds the inputs of every run, in order, so that a test can see which batches were made. As most graphs do,
    it refuses inputs of other shapes than it was bound to, unless it `takes_any_shape`.
    """

    def __init__(
        self,
        signatures: Sequence[Signature],
        function: Function,
        *,
        operations: Sequence[str] = (),
        takes_any_shape: bool = False,
    ) -> None:
        self._takes_any_shape = takes_any_shape
        self.signatures = {signature.name: signature for signature in signatures}
        self.meta_graph = _meta_graph(signatures, operations)
        self.calls: list[dict[str, Array]] = []
        self.is_closed = False
        self.runs_in_callers_thread = False
        self._function = function

    def bind(self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Runner:
        aliases = [spec.alias for spec in inputs]

        def run(arrays: Sequence[Array]) -> list[Array]:
            if not self._takes_any_shape and not all(
                spec.accepts(array.shape) for spec, array in zip(inputs, arrays, strict=True)
            ):
                raise InvalidRequest("the fake graph does not take that shape")
            named = dict(zip(aliases, arrays, strict=True))
            self.calls.append(named)
            results = self._function(named)
            return [results[spec.alias] for spec in outputs]

        return run

    def close(self) -> None:
        self.is_closed = True


def spec(alias: str, dtype: str, shape: tuple[int | None, ...] | None) -> TensorSpec:
    """A tensor of a made-up signature; `dtype` as `DataType.name` spells it."""
    return TensorSpec(alias=alias, dtype=BY_NAME[dtype], shape=shape, tensor=f"{alias}:0")


def signature(
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    *,
    name: str = "serving_default",
    method: str = "tensorflow/serving/predict",
    defaults: Mapping[str, Array] | None = None,
) -> Signature:
    """A made-up signature."""
    return Signature(
        name=name,
        method=method,
        inputs={tensor.alias: tensor for tensor in sorted(inputs, key=str)},
        outputs={tensor.alias: tensor for tensor in sorted(outputs, key=str)},
        defaults=defaults or {},
    )


def _meta_graph(signatures: Sequence[Signature], operations: Sequence[str]) -> meta_graph_pb2.MetaGraphDef:
    meta_graph = meta_graph_pb2.MetaGraphDef()
    for operation in operations:
        meta_graph.meta_info_def.stripped_op_list.op.add(name=operation)
    for described in signatures:
        definition = meta_graph.signature_def[described.name]
        definition.method_name = described.method
        for infos, specs in ((definition.inputs, described.inputs), (definition.outputs, described.outputs)):
            for alias, tensor in specs.items():
                infos[alias].name = tensor.tensor
                infos[alias].dtype = tensor.dtype.number
                infos[alias].tensor_shape.unknown_rank = tensor.shape is None
                for size in tensor.shape or ():
                    infos[alias].tensor_shape.dim.add(size=-1 if size is None else size)
    return meta_graph

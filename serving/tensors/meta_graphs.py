"""The signatures in a MetaGraphDef, as values: what a backend reads when it loads a version."""

import logging
from collections.abc import Mapping

from serving.errors import ModelError, ServingError
from serving.protos import meta_graph_pb2, tensor_shape_pb2
from serving.tensors.dtypes import BY_NUMBER, Array
from serving.tensors.signatures import Signature, TensorSpec
from serving.tensors.tensor_protos import read_tensor

log = logging.getLogger(__name__)

INIT_SIGNATURE = "__saved_model_init_op"
"""The loader's own entry: no tensor that a client may ask for."""


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
    inputs = _read_specs(name, definition.inputs)
    return Signature(
        name=name,
        method=definition.method_name,
        inputs=inputs,
        outputs=_read_specs(name, definition.outputs),
        defaults=_read_defaults(name, definition, inputs),
    )


def _read_defaults(
    signature: str, definition: meta_graph_pb2.SignatureDef, inputs: Mapping[str, TensorSpec]
) -> dict[str, Array]:
    """The defaults that can be used. One that cannot must not keep the version from being served: its input must be sent."""
    defaults = {}
    for alias in sorted(definition.defaults.keys() & inputs.keys()):
        try:
            defaults[alias] = read_tensor(definition.defaults[alias], inputs[alias])
        except ServingError as error:
            log.warning("a default of the signature %s cannot be used: %s", signature, error)
    return defaults


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

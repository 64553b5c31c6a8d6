"""Signatures from node names, as the command line gives them: `node`, `node:1`, `alias=node`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from model_export.artifact import ExportRequest
from model_export.errors import SignatureError
from model_export.sessions import import_tensorflow

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

_INT64: Final = 9
"""DT_INT64 of tensorflow/core/framework/types.proto."""
PREDICT: Final = "tensorflow/serving/predict"
DEFAULT_SIGNATURE: Final = "serving_default"


def signatures_of(
    graph: Any,  # noqa: ANN401 - tf.Graph
    declared: Mapping[str, SignatureDef],
    request: ExportRequest,
) -> dict[str, SignatureDef]:
    """Return the signatures to export: built from the nodes that were asked for, else chosen from the source's own.

    Raises SignatureError for a name or signature that the model does not hold, naming the nearest ones.
    """
    own = {
        name: _dense(each)
        for name, each in declared.items()
        if each.outputs and not name.startswith("__saved_model")
    }
    if request.outputs:
        known = own.get(request.signature) or next(iter(own.values()), None)
        return build_signatures(
            graph, inputs=request.inputs, outputs=request.outputs, key=request.signature, known=known
        )
    if own:
        return select(own, request.signature)
    message = (
        "expected --outputs, since the model declares no signature, received none; its graph ends in "
        f"{', '.join(_likely(graph, '--outputs')) or 'nothing'}"
    )
    raise SignatureError(message)


def build_signatures(
    graph: Any,  # noqa: ANN401 - tf.Graph
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    key: str,
    known: SignatureDef | None = None,
) -> dict[str, SignatureDef]:
    """Return one signature under `key` and `serving_default`; without `inputs`, every placeholder that the outputs need.

    `known`: a signature of the source, whose aliases may be used like node names and keep their inputs.
    Raises SignatureError for a name that the graph does not hold.
    """
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

    results = _named(outputs, graph, _tensors(known, "outputs"), what="--outputs")
    given = _tensors(known, "inputs")
    if inputs:
        feeds = _named(inputs, graph, given, what="--inputs")
    elif known is not None and {word.rpartition("=")[2] for word in outputs} <= known.outputs.keys():
        feeds = _named(sorted(known.inputs), graph, given, what="--inputs")
    else:
        feeds = _placeholders(results.values())
    signature = SignatureDef(method_name=PREDICT)
    for alias, tensor in feeds.items():
        signature.inputs[alias].CopyFrom(_tensor_info(tensor))
    for alias, tensor in results.items():
        signature.outputs[alias].CopyFrom(_tensor_info(tensor))
    _keep_defaults(signature, known, {alias: tensor.name for alias, tensor in feeds.items()})
    return {key: signature, DEFAULT_SIGNATURE: signature}


def select(own: Mapping[str, SignatureDef], key: str) -> dict[str, SignatureDef]:
    """Return a source's signatures with `serving_default` among them.

    A `key` other than `serving_default` chooses that one signature; else all are kept. A lone signature takes any key.
    Raises SignatureError when `key` is not there.
    """
    if key != DEFAULT_SIGNATURE and key in own:
        return {key: own[key], DEFAULT_SIGNATURE: own[key]}
    if key in own:
        return dict(own)
    if len(own) == 1:
        (lone,) = own.values()
        return (
            {**own, DEFAULT_SIGNATURE: lone}
            if key == DEFAULT_SIGNATURE
            else {key: lone, DEFAULT_SIGNATURE: lone}
        )
    message = (
        f"expected a signature {key!r}, received a model with {', '.join(sorted(own))}; "
        "choose one with --signature, or name the output nodes with --outputs"
    )
    raise SignatureError(message)


def _dense(signature: SignatureDef) -> SignatureDef:
    """Give every part of a sparse tensor its own alias, as TensorFlow 2 does: Predict can carry nothing else."""
    dense = type(signature)(method_name=signature.method_name)
    for ours, theirs in ((dense.inputs, signature.inputs), (dense.outputs, signature.outputs)):
        for alias, info in theirs.items():
            if info.WhichOneof("encoding") != "coo_sparse":
                ours[alias].CopyFrom(info)
                continue
            rank = len(info.tensor_shape.dim) or -1
            sparse = info.coo_sparse
            _describe(ours[f"{alias}/indices"], sparse.indices_tensor_name, _INT64, (-1, rank))
            _describe(ours[f"{alias}/values"], sparse.values_tensor_name, info.dtype, (-1,))
            _describe(ours[f"{alias}/shape"], sparse.dense_shape_tensor_name, _INT64, (rank,))
    _keep_defaults(dense, signature, {alias: info.name for alias, info in dense.inputs.items()})
    return dense


def _keep_defaults(ours: SignatureDef, theirs: SignatureDef | None, feeds: Mapping[str, str]) -> None:
    """Give inputs that the source's clients may leave out the same default, under whatever alias they have now."""
    if theirs is None:
        return
    for alias, default in theirs.defaults.items():
        for new_alias, tensor in feeds.items():
            if tensor == theirs.inputs[alias].name:
                ours.defaults[new_alias].CopyFrom(default)


def _describe(info: TensorInfo, name: str, dtype: int, shape: tuple[int, ...]) -> None:
    info.name = name
    info.dtype = dtype
    for size in shape:
        info.tensor_shape.dim.add(size=size)


def _tensors(known: SignatureDef | None, side: str) -> dict[str, str]:
    return {} if known is None else {alias: info.name for alias, info in getattr(known, side).items()}


def _named(words: Sequence[str], graph: Any, known: Mapping[str, str], *, what: str) -> dict[str, Any]:  # noqa: ANN401
    tensors = {}
    for word in words:
        alias, _, reference = word.rpartition("=")
        tensor = _tensor(known.get(reference, reference), graph, what=what)
        tensors[alias or reference.removesuffix(":0")] = tensor
    return tensors


def _tensor(reference: str, graph: Any, *, what: str) -> Any:  # noqa: ANN401 - tf.Graph, tf.Tensor
    node, _, index = reference.partition(":")
    try:
        return graph.get_tensor_by_name(f"{node}:{index or 0}")
    except (KeyError, ValueError) as error:
        names = [each.name for each in graph.get_operations()]
        near = difflib.get_close_matches(node, names, n=3, cutoff=0.6) or _likely(graph, what)
        message = f"expected {what} to name a node of the graph, received {reference!r}; did you mean {', '.join(near)}?"
        raise SignatureError(message) from error


def _likely(graph: Any, what: str) -> list[str]:  # noqa: ANN401 - tf.Graph
    ignored = ("save/", "gradients/")
    operations = [
        each
        for each in graph.get_operations()
        if not each.name.startswith(ignored)
        and not each.type.endswith(("IsInitializedOp", "IsVariableInitialized"))
    ]
    if what == "--inputs":
        return [each.name for each in operations if each.type == "Placeholder"][:10]
    return [
        each.name
        for each in operations
        if each.inputs and each.outputs and not any(tensor.consumers() for tensor in each.outputs)
    ][-10:]


def _placeholders(results: Any) -> dict[str, Any]:  # noqa: ANN401 - tensors
    found: dict[str, Any] = {}
    seen: set[str] = set()
    pending = [tensor.op for tensor in results]
    while pending:
        op = pending.pop()
        if op.name in seen:
            continue
        seen.add(op.name)
        if op.type == "Placeholder":
            found[op.name] = op.outputs[0]
        pending.extend(tensor.op for tensor in op.inputs)
        pending.extend(op.control_inputs)
    return dict(sorted(found.items()))


def _tensor_info(tensor: Any) -> TensorInfo:  # noqa: ANN401 - tf.Tensor
    from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

    tf = import_tensorflow()
    return TensorInfo(
        name=tensor.name,
        dtype=tensor.dtype.base_dtype.as_datatype_enum,
        tensor_shape=tf.TensorShape(tensor.shape).as_proto(),
    )

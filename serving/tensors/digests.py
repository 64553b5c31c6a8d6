"""An input that is named instead of sent: the SHA-256 of bytes that the server has seen before.

In JSON it is `{"sha256": "<64 hexadecimal digits>"}` in the place of a string; in a TensorProto it is a handle to
something that the server holds, which is what TensorFlow's type `resource` is for: `container` is "sha256",
`name` is the digest. A tensor of the Open Inference Protocol over gRPC has the datatype SHA256, which no model has, and
the digests for its strings. None of them can be mistaken for an input.
"""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from serving.errors import InvalidRequest
from serving.protos import tensor_pb2, types_pb2
from serving.tensors.dtypes import Array
from serving.tensors.signatures import TensorSpec
from serving.tensors.tensor_protos import check_shape

KEY: Final = "sha256"
NO_DIGESTS: Final = (
    "this signature keeps no inputs, so none can be named by its digest: it has no marked preprocessing of one string "
    "input, or --input_cache_bytes is 0; send the input itself"
)
DATATYPE: Final = "SHA256"
"""Of a tensor of the Open Inference Protocol whose strings are digests, as 64 hexadecimal digits each."""
_LEVELS = 8
"""How deep a digest may stand in a body: a tensor of rows, in an object, in a list."""
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


@dataclasses.dataclass(frozen=True, slots=True)
class InputDigest:
    """Stands in an array of strings for the string with this digest. No backend takes it."""

    digest: bytes

    def __str__(self) -> str:
        """As clients spell it."""
        return self.digest.hex()


def read_digest(text: str) -> InputDigest:
    """Raises InvalidRequest when `text` is no SHA-256."""
    if not _DIGEST.fullmatch(text):
        raise InvalidRequest(
            f"expected the SHA-256 of an input as 64 hexadecimal digits, got {len(text)} characters"
        )
    return InputDigest(bytes.fromhex(text))


def replace_digests(value: Any, *, levels: int = _LEVELS) -> Any:  # noqa: ANN401 - JSON
    """`value` with every `{"sha256": "..."}` as an InputDigest. Raises InvalidRequest."""
    if not levels or not isinstance(value, (list, dict)):
        return value
    if isinstance(value, list):
        return [replace_digests(item, levels=levels - 1) for item in value]
    if value.keys() == {KEY} and isinstance(value[KEY], str):
        return read_digest(value[KEY])
    return {key: replace_digests(item, levels=levels - 1) for key, item in value.items()}


def holds_digests(value: Any, *, levels: int = _LEVELS) -> bool:  # noqa: ANN401 - JSON
    """Whether `replace_digests` has found one in `value`."""
    if isinstance(value, dict):
        value = list(value.values())
    if not levels or not isinstance(value, list):
        return isinstance(value, InputDigest)
    return any(holds_digests(item, levels=levels - 1) for item in value)


def is_handle(proto: tensor_pb2.TensorProto) -> bool:
    """Whether `proto` names what it means instead of holding it."""
    return bool(proto.dtype == types_pb2.DT_RESOURCE)


def read_handles(proto: tensor_pb2.TensorProto, spec: TensorSpec) -> Array:
    """The digests in `proto`, as an array of the shape that it has. Raises InvalidRequest."""
    shape = tuple([axis.size for axis in proto.tensor_shape.dim])
    check_shape(shape, spec)
    handles = proto.resource_handle_val
    if len(shape) != 1 or shape[0] != len(handles):
        raise InvalidRequest(
            f"input {spec.alias} must have as many handles as its shape says, got {len(handles)}"
        )
    if any(handle.container != KEY for handle in handles):
        raise InvalidRequest(f'a handle of input {spec.alias} must have the container "{KEY}"')
    return read_digests([handle.name for handle in handles])


def read_digests(texts: Sequence[str]) -> Array:
    """object[rows] of the digests that `texts` spell. Raises InvalidRequest."""
    array = np.empty(len(texts), object)
    array[:] = [read_digest(text) for text in texts]
    return array

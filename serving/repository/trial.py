"""Asks a freshly loaded version made-up questions: TensorFlow then does its slow first work before clients come,
and a version that answers the same question differently gives itself away.

Zeros of the signature's shape, with 1 for open sizes. Some models refuse them (an empty string is no picture);
that proves nothing against the model.
"""

import logging

import numpy as np

from serving.backend import Session
from serving.backend.graphs import is_deterministic
from serving.errors import ServingError
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature, TensorSpec

log = logging.getLogger(__name__)

_MOST_VALUES = 1 << 24
"""A made-up input larger than this is not worth its memory."""


def try_out(session: Session) -> bool:
    """Run every signature twice; whether the version seems to repeat itself."""
    if not is_deterministic(session.meta_graph):
        for signature in session.signatures.values():
            _outputs(session, signature)
        return False
    repeating = [_repeats(session, signature) for signature in session.signatures.values()]
    return all(repeating)


def _repeats(session: Session, signature: Signature) -> bool:
    first = _outputs(session, signature)
    second = _outputs(session, signature) if first is not None else None
    if first is None or second is None:
        return True
    return all(_is_equal(one, other) for one, other in zip(first, second, strict=True))


def _outputs(session: Session, signature: Signature) -> list[Array] | None:
    inputs = [_made_up(spec) for spec in signature.inputs.values()]
    arrays = [array for array in inputs if array is not None]
    if len(arrays) != len(inputs):
        return None
    try:
        run = session.bind(list(signature.inputs.values()), list(signature.outputs.values()))
        return run(arrays)
    except ServingError as error:
        log.debug("the signature %s refuses made-up inputs: %s", signature.name, error)
        return None


def _made_up(spec: TensorSpec) -> Array | None:
    shape = [1 if size is None else size for size in spec.shape or ()]
    if np.prod(shape, dtype=float) > _MOST_VALUES:
        return None
    return np.full(shape, b"", object) if spec.dtype.is_string else np.zeros(shape, spec.dtype.storage)


def _is_equal(one: Array, other: Array) -> bool:
    if one.dtype == object:
        return bool(one.shape == other.shape and one.tolist() == other.tolist())
    return one.tobytes() == other.tobytes()

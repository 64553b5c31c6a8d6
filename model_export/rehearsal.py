"""Which requests travel with a servable: some that the source has answered, none that it refuses.

A server that replays a refused request calls the whole model broken, so the source is asked before a batch is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model_export.artifact import ExportRequest
from model_export.examples import Arrays, rows
from model_export.sessions import import_tensorflow
from model_export.verify import Answer, Exchange
from model_export.warmup import Golden, write_golden, write_warmup

if TYPE_CHECKING:
    from tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """Requests for the folder `assets.extra`."""

    signature: str
    batches: tuple[Arrays, ...]
    """Inputs by alias, one entry per batch size that the server will run."""
    golden: tuple[Golden, ...]


def rehearse(
    exchanges: Sequence[Exchange],
    request: ExportRequest,
    *,
    signature: SignatureDef,
    answer: Answer,
    examples: Arrays | None,
) -> Rehearsal:
    """Choose warm-up and golden requests: of real examples where there are any, else of what the source has answered."""
    asked = {each.signature: each for each in exchanges}
    key = request.signature if request.signature in asked else next(iter(asked))
    inputs = asked[key].inputs if examples is None else examples
    batches = _batches(signature, inputs, request.warmup_batch_sizes, answer)
    golden = tuple(
        Golden(
            signature=each.signature,
            inputs=each.inputs,
            outputs={alias: each.outputs[alias] for alias in sorted(each.repeatable)},
        )
        for each in exchanges
    )
    return Rehearsal(signature=key, batches=tuple(batches) or (asked[key].inputs,), golden=golden)


def write_rehearsal(folder: Path, model_name: str, rehearsal: Rehearsal) -> None:
    """Write the warm-up and golden files into a version folder."""
    write_warmup(folder, model_name=model_name, signature=rehearsal.signature, batches=rehearsal.batches)
    write_golden(folder, model_name=model_name, exchanges=rehearsal.golden)


def _batches(
    signature: SignatureDef, inputs: Arrays, sizes: Sequence[int], answer: Answer
) -> Iterator[Arrays]:
    if not all(_takes_any_batch(info.tensor_shape) for info in signature.inputs.values()):
        return
    if _takes_repeated_rows(signature, inputs, answer):
        yield from (rows(inputs, size) for size in sizes)


def _takes_repeated_rows(signature: SignatureDef, inputs: Arrays, answer: Answer) -> bool:
    """Tell whether rows can be repeated one by one, unlike the splits of a ragged tensor. Two say it as well as thirty-two."""
    tf = import_tensorflow()
    try:
        answer(signature, rows(inputs, 2))
    except (tf.errors.OpError, ValueError):
        return False
    return True


def _takes_any_batch(shape: TensorShapeProto) -> bool:
    return shape.unknown_rank or (len(shape.dim) > 0 and shape.dim[0].size < 0)

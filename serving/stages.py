"""Runs a question in two stages where its version's exporter marked the tensor between them.

    raw input ──preprocessing──> marked tensor ──network──> outputs
                                      │
                                 kept by digest

The mark is `extra.preprocessed` in the manifest: a tensor through which every output needs the input. Each
stage is a question of its own, so rows of different requests are joined in both.
"""

from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from serving.caching.inputs import InputCache, Key, digest
from serving.desk import Question
from serving.repository import Servable
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature, TensorSpec

Compute = Callable[[Question], Awaitable[list[Array]]]
_MARKED = "preprocessed"


class Stages:
    """The two halves of one signature of one load."""

    def __init__(self, servable: Servable, signature: Signature, mark: TensorSpec, cache: InputCache) -> None:
        self._cache = cache
        self._signature = signature
        # The mark's owner: the same preprocessing in another version may share, if the exporter could name it.
        self.preprocessing = servable.manifest.preprocessing_identity or f"load {servable.serial}"
        self._before = Signature(
            name=f"{signature.name} before {_MARKED}",
            method=signature.method,
            inputs=signature.inputs,
            outputs={_MARKED: mark},
        )
        self._after = Signature(
            name=f"{signature.name} after {_MARKED}",
            method=signature.method,
            inputs={_MARKED: mark},
            outputs=signature.outputs,
        )

    async def run(self, question: Question, compute: Compute) -> list[Array]:
        """The outputs of `question`, preprocessing only the rows that are not kept."""
        raw = question.inputs[0]
        keys: list[Key] = [(self.preprocessing, digest(value)) for value in raw.tolist()]
        rows = [self._cache.get(key) for key in keys]
        missing = [number for number, row in enumerate(rows) if row is None]
        if missing:
            before = Question(
                signature=self._before, inputs=[raw[missing]], outputs=list(self._before.outputs.values())
            )
            (fresh,) = await compute(before)
            for number, row in zip(missing, fresh, strict=True):
                self._cache.put(keys[number], row)
                rows[number] = row
        after = Question(signature=self._after, inputs=[_stack(rows)], outputs=question.outputs)
        return await compute(after)


def make_stages(servable: Servable, signature: Signature, cache: InputCache) -> Stages | None:
    """The stages of a signature, or None when it has none that can be used.

    It needs a mark with rows, and a single input of strings with rows.
    """
    mark = servable.manifest.preprocessed
    inputs = list(signature.inputs.values())
    if mark is None or len(inputs) != 1 or not inputs[0].dtype.is_string or not signature.is_batched:
        return None
    if not mark.has_batch_axis or len(inputs[0].shape or ()) != 1:
        return None
    return Stages(servable, signature, mark, cache)


def _stack(rows: Sequence[Array | None]) -> Array:
    return np.stack([row for row in rows if row is not None])

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
from serving.errors import NotFound
from serving.repository import Servable
from serving.tensors.digests import InputDigest
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature, TensorSpec

Compute = Callable[[Question], Awaitable[Sequence[Array]]]
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

    async def run(self, question: Question, compute: Compute, *, caller: str = "") -> Sequence[Array]:
        """The outputs of `question`, preprocessing only the rows that are not kept.

        Raises NotFound for a row that is only named and not kept. What one caller sent, another cannot name: a
        digest that is answered would tell that somebody asked about that very picture.
        """
        raw = question.inputs[0]
        keys: list[Key] = [(self.preprocessing, caller, _digest(value)) for value in raw.tolist()]
        rows = [self._cache.get(key) for key in keys]
        missing = [number for number, row in enumerate(rows) if row is None]
        if missing:
            _check_sent(raw, missing)
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
    """The stages of a signature, or None when it has none that can be used."""
    mark = servable.preprocessed(signature)
    return None if mark is None else Stages(servable, signature, mark, cache)


def _digest(value: bytes | InputDigest) -> bytes:
    return value.digest if isinstance(value, InputDigest) else digest(value)


def _check_sent(raw: Array, missing: Sequence[int]) -> None:
    unknown = [number for number in missing if isinstance(raw[number], InputDigest)]
    if unknown:
        first = raw[unknown[0]].digest.hex()
        raise NotFound(
            f"no input with SHA-256 {first} is kept ({len(unknown)} of {len(raw)} rows, the first is row {unknown[0]}); "
            "send the input itself"
        )


def _stack(rows: Sequence[Array | None]) -> Array:
    return np.stack([row for row in rows if row is not None])

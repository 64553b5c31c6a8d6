"""Proof that a servable answers as its source does.

Two gates. Exact: no optimiser, one thread, several batch sizes, every output bit for bit. As served: constants folded and kernels
fused, every number within a relative 1e-5 and the same winner in every row. Outputs that the source itself does not repeat (random
ops) are compared by type and shape. The servable is loaded afresh, from its own files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_export import steps
from model_export.errors import VerificationError
from model_export.examples import rows
from model_export.questions import Inputs, batch_sizes, questions
from model_export.sessions import exact, first_line, import_tensorflow, release_memory, run_signature, served
from model_export.steps import NOBODY, Watcher

if TYPE_CHECKING:
    from tensorflow.core.protobuf.config_pb2 import ConfigProto
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

RELATIVE_TOLERANCE: Final = 1e-5
"""Of each value, and of the largest in its tensor: a sum near zero moves with the terms it is made of."""

Outputs = Mapping[str, NDArray[Any]]
Answer = Callable[["SignatureDef", Inputs], Outputs]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One question that the source was asked, and what it answered."""

    signature: str
    inputs: Inputs
    outputs: Outputs
    repeatable: frozenset[str]
    """Outputs that the source gave bit for bit again when it was asked twice."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What the two gates found."""

    exchanges: int
    largest_difference: float
    """Largest difference as served, relative to the largest value of the same output."""


def interview(
    signatures: Mapping[str, SignatureDef],
    answer: Answer,
    *,
    examples: Inputs | None = None,
    example: Inputs | None = None,
) -> tuple[Exchange, ...]:
    """Ask the source every signature: `example` as it is where it fits, else several batch sizes of `examples` or made-up inputs.

    Raises VerificationError when it answers none of the questions.
    """
    exchanges: list[Exchange] = []
    for key, signature in _distinct(signatures):
        refusals: list[str] = []
        if example is not None and example.keys() == signature.inputs.keys():
            answered = [_ask(key, signature, iter([example]), answer, refusals)]
        else:
            answered = [
                _ask(key, signature, _candidates(signature, batch, examples), answer, refusals)
                for batch in batch_sizes(signature)
            ]
        if not any(answered):
            message = (
                f"expected signature {key!r} to answer, received refusals only (the last: {refusals[-1]}); "
                "give one real request with --example, or labelled ones with --evaluate"
            )
            raise VerificationError(message)
        exchanges.extend(each for each in answered if each is not None)
    return tuple(exchanges)


def verify(folder: Path, exchanges: tuple[Exchange, ...], *, watcher: Watcher = NOBODY) -> Verification:
    """Let the servable in `folder` pass both gates. Raises VerificationError, naming the output, on a difference."""
    watcher.enter(steps.VERIFY)
    _verify_exactly(folder, exchanges, watcher)
    release_memory()
    watcher.enter(steps.VERIFY_AS_SERVED)
    return verify_as_served(folder, exchanges, watcher=watcher)


def verify_as_served(
    folder: Path,
    exchanges: tuple[Exchange, ...],
    *,
    tolerance: float | None = RELATIVE_TOLERANCE,
    watcher: Watcher = NOBODY,
) -> Verification:
    """Let the servable in `folder` pass the second gate alone.

    A wider `tolerance` also forgives a change of winners; None forgives everything but another shape, and only measures.
    """
    differences = _differences_as_served(folder, exchanges, tolerance, watcher)
    release_memory()
    return Verification(exchanges=len(exchanges), largest_difference=max(differences, default=0.0))


# Each gate is a function of its own: what it loaded is let go of when it returns, before the next one loads the model again.
def _verify_exactly(folder: Path, exchanges: tuple[Exchange, ...], watcher: Watcher) -> None:
    with opened_servable(folder, exact()) as answer:
        for count, each in enumerate(exchanges):
            _compare_exactly(each, answer(each.signature, each.inputs))
            watcher.advance(count + 1, len(exchanges))


def _differences_as_served(
    folder: Path, exchanges: tuple[Exchange, ...], tolerance: float | None, watcher: Watcher
) -> list[float]:
    differences = []
    with opened_servable(folder, served()) as answer:
        for count, each in enumerate(exchanges):
            differences.append(_compare_as_served(each, answer(each.signature, each.inputs), tolerance))
            watcher.advance(count + 1, len(exchanges))
    return differences


@contextmanager
def opened_servable(folder: Path, config: ConfigProto) -> Iterator[Callable[[str, Inputs], Outputs]]:
    """Load a servable and give a function from (signature key, inputs by alias) to outputs by alias."""
    tf = import_tensorflow()
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph, config=config) as session:
        try:
            signatures = _load(session, folder)
        except (tf.errors.OpError, ValueError, OSError) as error:
            message = f"expected a servable that loads in {folder}, received {first_line(error)}; please report this export"
            raise VerificationError(message) from error
        yield lambda key, inputs: run_signature(session, signatures[key], inputs)


def _load(session: Any, folder: Path) -> dict[str, SignatureDef]:  # noqa: ANN401 - tf.Session
    """Return copies of the signatures: a part of a MetaGraphDef keeps all of it in memory, weights included."""
    meta_graph = import_tensorflow().compat.v1.saved_model.load(session, ["serve"], str(folder))
    copies = {key: type(each)() for key, each in meta_graph.signature_def.items()}
    for key, copy in copies.items():
        copy.CopyFrom(meta_graph.signature_def[key])
    return copies


def _distinct(signatures: Mapping[str, SignatureDef]) -> list[tuple[str, SignatureDef]]:
    """Leave out a signature that is another one under a second name."""
    seen: dict[bytes, tuple[str, SignatureDef]] = {}
    for key, signature in sorted(signatures.items()):
        seen.setdefault(signature.SerializeToString(deterministic=True), (key, signature))
    return list(seen.values())


def _candidates(signature: SignatureDef, batch: int, examples: Inputs | None) -> Iterator[Inputs]:
    if examples is not None and examples.keys() == signature.inputs.keys():
        yield rows(examples, batch)
    yield from questions(signature, batch)


def _ask(
    key: str, signature: SignatureDef, candidates: Iterator[Inputs], answer: Answer, refusals: list[str]
) -> Exchange | None:
    tf = import_tensorflow()
    for inputs in candidates:
        try:
            first, second = answer(signature, inputs), answer(signature, inputs)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError, ValueError) as error:
            refusals.append(first_line(error))
            continue
        repeatable = frozenset(alias for alias in first if _same_bits(first[alias], second[alias]))
        return Exchange(signature=key, inputs=inputs, outputs=first, repeatable=repeatable)
    return None


def _compare_exactly(exchange: Exchange, outputs: Outputs) -> None:
    for alias, expected in exchange.outputs.items():
        found = outputs[alias]
        if alias not in exchange.repeatable:
            if found.dtype != expected.dtype or found.ndim != expected.ndim:
                _differ(exchange, alias, "another type or rank")
        elif not _same_bits(found, expected):
            _differ(exchange, alias, "other bits than the source's, with every optimiser off")


def _compare_as_served(exchange: Exchange, outputs: Outputs, tolerance: float | None) -> float:
    largest = 0.0
    for alias in exchange.repeatable:
        expected, found = exchange.outputs[alias], outputs[alias]
        if _is_number(expected):
            largest = max(largest, _compare_numbers(exchange, alias, expected, found, tolerance))
        elif tolerance == RELATIVE_TOLERANCE and not np.array_equal(_winners(found), _winners(expected)):
            _differ(exchange, alias, "another winner as served")
    return largest


def _compare_numbers(
    exchange: Exchange, alias: str, expected: NDArray[Any], found: NDArray[Any], tolerance: float | None
) -> float:
    if found.shape != expected.shape:
        _differ(exchange, alias, f"shape {found.shape} instead of {expected.shape} as served")
    if expected.size == 0:
        return 0.0
    precise_type = np.complex128 if np.iscomplexobj(expected) else np.float64
    wanted, received = expected.astype(precise_type), found.astype(precise_type)
    scale = float(np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted)))
    if tolerance is not None:
        accepted = max(tolerance, 8.0 * _resolution(expected))
        if not np.allclose(received, wanted, rtol=accepted, atol=accepted * scale, equal_nan=True):
            _differ(exchange, alias, f"numbers more than a relative {accepted:.0e} away as served")
    difference = np.abs(received - wanted)
    return float(np.max(difference, initial=0.0, where=np.isfinite(difference))) / (scale or 1.0)


def _winners(values: NDArray[Any]) -> NDArray[Any]:
    """Return what a ranked answer puts first; anything else whole."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] > 0 else values


def _resolution(values: NDArray[Any]) -> float:
    from ml_dtypes import finfo

    return float(finfo(values.dtype).eps)  # type: ignore[no-untyped-call] # ml_dtypes annotates half of itself


def _is_number(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "fc" or values.dtype.name in {"bfloat16", "float8_e5m2", "float8_e4m3fn"}


def _same_bits(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return np.array_equal(one, other) if one.dtype == object else one.tobytes() == other.tobytes()


def _differ(exchange: Exchange, alias: str, what: str) -> None:
    batch = next((len(each) for each in exchange.inputs.values() if each.ndim), 1)
    message = (
        f"expected output {alias!r} of signature {exchange.signature!r} to answer as the source does, received {what}, "
        f"at batch size {batch}; nothing was published, please report this model"
    )
    raise VerificationError(message)

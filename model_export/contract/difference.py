"""What changes for clients when one servable takes the place of another.

A contract is compared as clients meet it: what they may send (inputs) may only widen, what they get (outputs) may only narrow or
grow. Everything else, weights and operations alike, changes numbers but no program. Each difference has a field, a level and a
sentence; the level of the whole is the worst of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from model_export.artifact import Signature, TensorSpec
from model_export.contract.document import Contract
from model_export.errors import ContractError

Axes = tuple[int | None, ...] | None


class Level(IntEnum):
    """How far a change reaches, from nothing to broken clients."""

    IDENTICAL = 0
    NUMERICS_ONLY = 1
    """Same questions, same form of answers; the numbers may differ."""
    ADDITIVE = 2
    """Old clients go on working; new ones may ask for more."""
    BREAKING = 3
    """A client that works today fails after the deployment."""

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference."""

    field: str
    """Path of what changed, such as `signatures.serving_default.inputs.image.dtype`."""
    level: Level
    sentence: str
    """What changed, and what it means for a client."""


@dataclass(frozen=True, kw_only=True)
class ContractDiff:
    """Every difference between two contracts, the worst first."""

    changes: tuple[Change, ...]

    @property
    def level(self) -> Level:
        """The worst level of all changes."""
        return max((change.level for change in self.changes), default=Level.IDENTICAL)

    def sentences(self) -> list[str]:
        """Return one line per change, the worst first; one line where nothing changed."""
        if not self.changes:
            return ["identical: the servable is the deployed one, byte for byte"]
        return [f"{change.level}: {change.field}: {change.sentence}" for change in self.changes]


def diff(old: Contract, new: Contract) -> ContractDiff:
    """Compare two contracts, the deployed one first."""
    changes = [*_signatures(old, new), *_numerics(old, new)]
    return ContractDiff(changes=tuple(sorted(changes, key=lambda change: (-change.level, change.field))))


def explain_difference(old_json: str, new_json: str) -> list[str]:
    """Compare two contracts as stored in stack outputs, and return one line per change for people.

    Raises ContractError when either text is no contract.
    """
    old = Contract.from_json(old_json, where="the deployed contract")
    return diff(old, Contract.from_json(new_json, where="the new contract")).sentences()


def refuse_breaking(difference: ContractDiff, *, allow_breaking: bool) -> None:
    """Stop a deployment that would break clients. Raises ContractError that names every broken field."""
    broken = [
        f"{change.field}: {change.sentence}"
        for change in difference.changes
        if change.level is Level.BREAKING
    ]
    if broken and not allow_breaking:
        raise ContractError(
            f"expected a model that today's clients can go on using, received {len(broken)} breaking "
            f"change{'s' if len(broken) > 1 else ''}: {'; '.join(broken)}; "
            "keep the contract, serve it under another model name, or set allowBreaking for this model"
        )


def _signatures(old: Contract, new: Contract) -> Iterator[Change]:
    before, after = ({each.name: each for each in contract.signatures} for contract in (old, new))
    for name in sorted(before.keys() | after.keys()):
        path = f"signatures.{name}"
        if name not in after:
            yield _breaking(path, f"the signature is gone; clients that ask for {name!r} get an error")
        elif name not in before:
            yield _additive(path, "a new signature that clients may ask for")
        else:
            yield from _signature(path, before[name], after[name])


def _signature(path: str, old: Signature, new: Signature) -> Iterator[Change]:
    if old.method != new.method:
        yield _breaking(
            f"{path}.method", f"was {old.method!r}, is {new.method!r}; the old way of calling is refused"
        )
    yield from _inputs(f"{path}.inputs", _by_name(old.inputs), _by_name(new.inputs))
    yield from _outputs(f"{path}.outputs", _by_name(old.outputs), _by_name(new.outputs))


def _inputs(path: str, old: Mapping[str, TensorSpec], new: Mapping[str, TensorSpec]) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        here = f"{path}.{name}"
        if name not in new:
            yield _breaking(here, "the input is gone; a client that still sends it is refused")
        elif name not in old and new[name].default is not None:
            yield _additive(here, f"a new input, {_words(new[name])}, that clients may leave to its default")
        elif name not in old:
            yield _breaking(here, f"a new input, {_words(new[name])}, that today's clients do not send")
        else:
            yield from _dtype(here, old[name], new[name])
            yield from _default(f"{here}.default", old[name].default, new[name].default)
            if old[name].shape != new[name].shape:
                fits = _accepts(new[name].shape, old[name].shape)
                verdict = "every old question still fits" if fits else "questions that fitted are refused"
                yield (_additive if fits else _breaking)(
                    f"{here}.shape", _was_is(old[name].shape, new[name].shape, verdict)
                )


def _outputs(path: str, old: Mapping[str, TensorSpec], new: Mapping[str, TensorSpec]) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        here = f"{path}.{name}"
        if name not in new:
            yield _breaking(here, "the output is gone; clients that read it fail")
        elif name not in old:
            yield _additive(here, f"a new output, {_words(new[name])}")
        else:
            yield from _dtype(here, old[name], new[name])
            if old[name].shape != new[name].shape:
                fits = _accepts(old[name].shape, new[name].shape)
                verdict = (
                    "every new answer has a form that clients know"
                    if fits
                    else "answers take a form that clients do not know"
                )
                yield (_additive if fits else _breaking)(
                    f"{here}.shape", _was_is(old[name].shape, new[name].shape, verdict)
                )


def _dtype(path: str, old: TensorSpec, new: TensorSpec) -> Iterator[Change]:
    if old.dtype != new.dtype:
        yield _breaking(
            f"{path}.dtype",
            f"was {old.dtype}, is {new.dtype}; clients that encode or decode {old.dtype} fail",
        )


def _default(path: str, old: str | None, new: str | None) -> Iterator[Change]:
    if old == new:
        return
    if new is None:
        yield _breaking(path, "the default is gone; clients that do not send the input are refused")
    elif old is None:
        yield _additive(path, "a default, so that clients need not send the input any more")
    else:
        yield _numeric(
            path, f"was {old[:19]}, is {new[:19]}; clients that do not send the input get other answers"
        )


def _numerics(old: Contract, new: Contract) -> Iterator[Change]:
    for name in ("writer_version", "tags", "custom_ops", "file_ops", "python_ops", "host_ops", "assets"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield _numeric(name, f"was {_listed(before)}, is {_listed(after)}")
    gone, come = sorted(old.ops.keys() - new.ops.keys()), sorted(new.ops.keys() - old.ops.keys())
    if gone or come:
        yield _numeric("ops", f"no longer used: {_listed(gone)}; newly used: {_listed(come)}")
    for name in ("node_count", "constant_bytes", "variable_bytes"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield _numeric(name, f"was {before:,}, is {after:,}")
    if old.digest != new.digest:
        yield _numeric(
            "digest", f"was {old.digest[:19]}, is {new.digest[:19]}; answers may differ in their numbers"
        )


def _accepts(wide: Axes, narrow: Axes) -> bool:
    """Say whether every tensor of the narrow shape also has the wide one."""
    if wide is None:
        return True
    if narrow is None or len(wide) != len(narrow):
        return False
    return all(outer is None or outer == inner for outer, inner in zip(wide, narrow, strict=True))


def _by_name(specs: Iterable[TensorSpec]) -> dict[str, TensorSpec]:
    return {spec.name: spec for spec in specs}


def shape_words(shape: Axes) -> str:
    """Return a shape as people write it: `[?, 28, 28]`, or `any rank`."""
    return (
        "any rank"
        if shape is None
        else f"[{', '.join('?' if axis is None else str(axis) for axis in shape)}]"
    )


def _words(spec: TensorSpec) -> str:
    return f"{spec.dtype} {shape_words(spec.shape)}"


def _was_is(old: Axes, new: Axes, verdict: str) -> str:
    return f"was {shape_words(old)}, is {shape_words(new)}; {verdict}"


def _listed(value: str | Iterable[str]) -> str:
    words = value if isinstance(value, str) else ", ".join(value)
    return words or "none"


def _breaking(field: str, sentence: str) -> Change:
    return Change(field=field, level=Level.BREAKING, sentence=sentence)


def _additive(field: str, sentence: str) -> Change:
    return Change(field=field, level=Level.ADDITIVE, sentence=sentence)


def _numeric(field: str, sentence: str) -> Change:
    return Change(field=field, level=Level.NUMERICS_ONLY, sentence=sentence)

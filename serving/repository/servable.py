"""One model version that is loaded: its session, and the callables made for it."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from serving.backend import Runner, Session
from serving.errors import InvalidRequest, SignatureNotFound
from serving.manifest import Manifest
from serving.tensors.dtypes import Array
from serving.tensors.signatures import DEFAULT_SIGNATURE, Signature, TensorSpec
from serving.tensors.tensor_protos import mismatch_text

_serials = itertools.count(1)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Servable:
    """A loaded version. Two loads of the same version are two servables."""

    name: str
    version: int
    session: Session
    manifest: Manifest = dataclasses.field(default_factory=Manifest)
    serial: int = dataclasses.field(default_factory=lambda: next(_serials))
    """Unique in this process: a key that can never mean an older load."""
    is_deterministic: bool = True
    """Whether the same question always has the same answer, as far as anybody can tell."""
    keeps_inputs: bool = False
    """Whether the server has a place for preprocessed inputs."""
    takes_other_shapes: bool = True
    """Whether TensorFlow judges inputs of other shapes than the signature says, and not this server."""
    _runners: dict[tuple[str, tuple[str, ...]], Runner] = dataclasses.field(default_factory=dict)

    def signature(self, name: str = "") -> Signature:
        """The signature of that name, or the default one. Raises SignatureNotFound."""
        found = self.session.signatures.get(name or DEFAULT_SIGNATURE)
        if found is None:
            raise SignatureNotFound(name or DEFAULT_SIGNATURE, known=sorted(self.session.signatures))
        return found

    def preprocessed(self, signature: Signature) -> TensorSpec | None:
        """The tensor at which questions of `signature` can be cut in two; None when there is none.

        It needs a mark with rows in the manifest, and a single input of strings with rows.
        """
        mark, inputs = self.manifest.preprocessed, list(signature.inputs.values())
        if mark is None or len(inputs) != 1 or not inputs[0].dtype.is_string or not signature.is_batched:
            return None
        return mark if mark.has_batch_axis and len(inputs[0].shape or ()) == 1 else None

    def takes_digests(self, signature: Signature) -> bool:
        """Whether a client may name an input by its digest instead of sending it again."""
        return self.keeps_inputs and self.preprocessed(signature) is not None

    def runner(self, signature: Signature, outputs: Sequence[TensorSpec]) -> Runner:
        """The callable for all inputs of `signature` and these outputs; made once."""
        key = signature.name, tuple(spec.alias for spec in outputs)
        runner = self._runners.get(key)
        if runner is None:
            runner = _explaining(
                self.session.bind(list(signature.inputs.values()), outputs), signature.inputs
            )
            self._runners[key] = runner
        return runner


def _explaining(run: Runner, specs: Mapping[str, TensorSpec]) -> Runner:
    """The same, but where TensorFlow refuses inputs of other shapes than the signature says, that is said first."""

    def run_explaining(arrays: Sequence[Array]) -> list[Array]:
        try:
            return run(arrays)
        except InvalidRequest as error:
            for spec, array in zip(specs.values(), arrays, strict=True):
                if not spec.accepts(array.shape):
                    raise InvalidRequest(f"{mismatch_text(array.shape, spec)}: {error}") from error
            raise

    return run_explaining

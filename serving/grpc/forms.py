"""The forms of PredictRequests that were seen: what the next one of a form asks is known but for its numbers.

The general way parses every message with protobuf, looks up names and checks types and shapes: 12 us. A message
that fits a form needs one comparison and one copy of its numbers: 1 us. A form is learnt from a question that the
general way has accepted, and holds for the load that it was asked of; for another load it is learnt anew.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from serving.desk import Question
from serving.grpc.predict import AnswerWriter
from serving.grpc.stencils import Stencil, cut_stencil
from serving.protos import predict_pb2
from serving.tensors.dtypes import Array
from serving.tensors.signatures import Signature, TensorSpec

MAX_LENGTHS = 256
FORMS_OF_A_LENGTH = 4
"""Models whose names are equally long have requests that are."""
MAX_FIXED_BYTES = 2048
"""Together with the limits above: what all forms may occupy, some 2 MiB."""

Choice = tuple[str, int | None, str | None]
"""What a request says of the model it means: name, version, label."""
_Place = tuple[int, int, "np.dtype[np.generic]", tuple[int, ...]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Form:
    """All that messages which fit `stencil` have in common."""

    stencil: Stencil
    start: bytes
    """The stencil's beginning; where `is_plain`, all of it."""
    is_plain: bool
    choice: Choice
    serial: int
    """The load that the question was checked against."""
    signature: Signature
    outputs: Sequence[TensorSpec]
    places: Sequence[_Place]
    """Begin, end, storage and shape of each input, in the order of the signature."""
    writer: AnswerWriter

    def read(self, message: bytes) -> Question:
        """What a message of this form asks."""
        inputs: list[Array] = []
        for start, end, storage, shape in self.places:
            # A copy, so that the numbers are aligned and the message can go.
            inputs.append(np.frombuffer(message[start:end], storage).reshape(shape))
        return Question(signature=self.signature, inputs=inputs, outputs=self.outputs)


class Forms:
    """What is remembered of all models, bounded whatever clients send."""

    def __init__(self) -> None:
        self._forms: dict[int, list[Form]] = {}

    def find(self, message: bytes) -> Form | None:
        for form in self._forms.get(len(message), ()):
            if message.startswith(form.start) and (form.is_plain or form.stencil.fits(message)):
                return form
        return None

    def learn(
        self,
        message: bytes,
        request: predict_pb2.PredictRequest,
        question: Question,
        *,
        serial: int,
        writer: AnswerWriter,
    ) -> None:
        """Remember the form of a message that was found to ask `question` of the load `serial`."""
        if question.has_own_shapes:
            return
        stencil = cut_stencil(message)
        if stencil is None or stencil.fixed_bytes > MAX_FIXED_BYTES:
            return
        places = _places(stencil, question)
        if places is None:
            return
        form = Form(
            stencil=stencil,
            start=stencil.start,
            is_plain=len(stencil.start) == stencil.fixed_bytes,
            choice=choice_of(request),
            serial=serial,
            signature=question.signature,
            outputs=question.outputs,
            places=places,
            writer=writer,
        )
        self._keep(message, form)

    def _keep(self, message: bytes, form: Form) -> None:
        if len(message) not in self._forms and len(self._forms) >= MAX_LENGTHS:
            self._forms.clear()
        others = [other for other in self._forms.get(len(message), ()) if not other.stencil.fits(message)]
        self._forms[len(message)] = [form, *others[: FORMS_OF_A_LENGTH - 1]]


def choice_of(request: predict_pb2.PredictRequest) -> Choice:
    spec = request.model_spec
    version = spec.version.value if spec.WhichOneof("version_choice") == "version" else None
    return spec.name, version, spec.version_label or None


def _places(stencil: Stencil, question: Question) -> list[_Place] | None:
    """Where each input is; None when its octets are not the array's: strings, or a list that is filled up."""
    holes = {hole.alias: hole for hole in stencil.holes}
    places: list[_Place] = []
    for spec, array in zip(question.signature.inputs.values(), question.inputs, strict=True):
        hole = holes.get(spec.alias)
        if hole is None or spec.dtype.is_string or array.nbytes != hole.end - hole.start or not array.nbytes:
            return None
        places.append((hole.start, hole.end, spec.dtype.storage, array.shape))
    return places

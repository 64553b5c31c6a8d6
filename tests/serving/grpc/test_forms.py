"""What is read through a remembered form must be what protobuf reads, whatever the message."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.desk import Question
from serving.errors import ServingError
from serving.grpc.forms import FORMS_OF_A_LENGTH, MAX_LENGTHS, Forms
from serving.grpc.predict import AnswerWriter, read_question
from serving.grpc.stencils import MAX_FIELDS, cut_stencil
from serving.protos import predict_pb2, tensor_pb2
from serving.repository import Servable
from serving.tensors.dtypes import BY_NAME, Array
from serving.tensors.wire import length_delimited, varint_field

NAMES = ("float", "double", "int32", "uint8", "bool", "complex64", "half", "int64", "float8_e5m2")
LISTS = ("float", "double", "complex64", "float8_e5m2")
"""Types whose list in a TensorProto is the memory of the array."""


def servable(**inputs: str) -> Servable:
    """A version whose default signature takes `inputs`, of any shape."""
    backend = FakeBackend(
        [signature([spec(alias, kind, None) for alias, kind in inputs.items()], [spec("y", "float", None)])],
        lambda _: {},
    )
    return Servable(name="any", version=1, session=backend)


def tensor(kind: str, array: Array, *, as_list: bool = False) -> tensor_pb2.TensorProto:
    dtype = BY_NAME[kind]
    proto = tensor_pb2.TensorProto(dtype=dtype.number)
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if not as_list:
        proto.tensor_content = array.tobytes()
    elif dtype.field == "float8_val":
        proto.float8_val = array.tobytes()
    elif dtype.is_complex:
        getattr(proto, dtype.field).extend(array.ravel().view(np.float32).tolist())
    else:
        getattr(proto, dtype.field).extend(array.ravel().tolist())
    return proto


def request(**inputs: tensor_pb2.TensorProto) -> predict_pb2.PredictRequest:
    found = predict_pb2.PredictRequest()
    found.model_spec.name = "any"
    for alias, proto in inputs.items():
        found.inputs[alias].CopyFrom(proto)
    return found


def numbers(kind: str, seed: int, shape: tuple[int, ...] = (2, 3)) -> Array:
    count = int(np.prod(shape)) * BY_NAME[kind].storage.itemsize
    octets = bytes(random.Random(seed).choices((0, 1), k=count))  # good for every type, bool included
    return np.frombuffer(octets, BY_NAME[kind].storage).reshape(shape)


def same(one: Question, other: Question) -> bool:
    arrays = zip(one.inputs, other.inputs, strict=True)
    return (
        one.signature is other.signature
        and list(one.outputs) == list(other.outputs)
        and all(a.tobytes() == b.tobytes() and a.shape == b.shape and a.dtype == b.dtype for a, b in arrays)
    )


def learn(forms: Forms, message: bytes, loaded: Servable) -> Question:
    """As the general way does."""
    parsed = predict_pb2.PredictRequest.FromString(message)
    question = read_question(loaded, parsed)
    writer = AnswerWriter(name="any", version=1, as_content=False)
    forms.learn(message, parsed, question, serial=loaded.serial, writer=writer)
    return question


@pytest.mark.parametrize(
    ("kind", "as_list"), [(kind, False) for kind in NAMES] + [(kind, True) for kind in LISTS]
)
def test_a_message_that_differs_in_numbers_only_is_read_without_protobuf(kind: str, as_list: bool) -> None:
    loaded, forms = servable(x=kind), Forms()
    first, second = (request(x=tensor(kind, numbers(kind, seed), as_list=as_list)) for seed in (1, 2))
    learn(forms, first.SerializeToString(), loaded)
    form = forms.find(second.SerializeToString())
    assert form is not None
    assert form.choice == ("any", None, None)
    assert form.serial == loaded.serial
    assert same(form.read(second.SerializeToString()), read_question(loaded, second))


def test_several_inputs_each_have_their_place() -> None:
    loaded, forms = servable(a="float", b="int32", c="double"), Forms()

    def message(seed: int) -> bytes:
        return request(
            c=tensor("double", numbers("double", seed, (4,)), as_list=True),
            a=tensor("float", numbers("float", seed + 1)),
            b=tensor("int32", numbers("int32", seed + 2, ())),
        ).SerializeToString(deterministic=True)

    learn(forms, message(1), loaded)
    form = forms.find(message(9))
    assert form is not None
    assert same(
        form.read(message(9)), read_question(loaded, predict_pb2.PredictRequest.FromString(message(9)))
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda asked: setattr(asked.model_spec, "signature_name", "other"),
        lambda asked: setattr(asked.model_spec, "name", "ann"),
        lambda asked: asked.output_filter.append("y"),
        lambda asked: setattr(asked.inputs["x"], "dtype", 3),
        lambda asked: setattr(asked.inputs["x"].tensor_shape.dim[0], "size", 3),
    ],
    ids=["signature", "model", "filter", "type", "shape"],
)
def test_a_message_that_differs_in_anything_else_has_another_form(
    change: Callable[[predict_pb2.PredictRequest], object],
) -> None:
    loaded, forms = servable(x="float"), Forms()
    asked = request(x=tensor("float", numbers("float", 1)))
    learn(forms, asked.SerializeToString(), loaded)
    change(asked)
    assert forms.find(asked.SerializeToString()) is None


def entry(*fields: bytes) -> bytes:
    """A PredictRequest for `any` whose one entry of `inputs` has these fields."""
    return length_delimited(1, length_delimited(1, b"any")) + length_delimited(2, b"".join(fields))


KEY = length_delimited(1, b"x")
HEAD = varint_field(1, 1) + length_delimited(2, length_delimited(2, varint_field(1, 1)))
ONE, TWO = b"\0\0\x80\x3f", b"\0\0\0\x40"


@pytest.mark.parametrize(
    "message",
    [
        entry(KEY, length_delimited(2, HEAD + length_delimited(4, ONE)), length_delimited(2, HEAD)),
        entry(KEY, length_delimited(2, HEAD + length_delimited(4, TWO) + length_delimited(4, ONE))),
        entry(KEY, length_delimited(2, HEAD + length_delimited(5, TWO) + length_delimited(4, ONE))),
        entry(KEY, KEY, length_delimited(2, HEAD + length_delimited(4, ONE))),
        entry(KEY, length_delimited(2, HEAD + b"\x2d" + ONE)),
        entry(KEY, length_delimited(2, HEAD + length_delimited(4, TWO)))
        + entry(KEY, length_delimited(2, HEAD + length_delimited(4, ONE))),
        entry(KEY, length_delimited(2, HEAD + length_delimited(4, ONE))) + varint_field(100, 1) * MAX_FIELDS,
    ],
    ids=["tensor twice", "values twice", "two kinds", "key twice", "unpacked", "entry twice", "many fields"],
)
def test_an_unusual_message_gets_no_form_and_is_still_understood(message: bytes) -> None:
    loaded, forms = servable(x="float"), Forms()
    question = learn(forms, message, loaded)
    assert question.inputs[0].ravel().tolist() == [1.0]
    assert forms.find(message) is None


def test_a_list_that_is_filled_up_gets_no_form() -> None:
    loaded, forms = servable(x="float"), Forms()
    short = tensor("float", np.array([[1, 2]], np.float32), as_list=True)
    short.tensor_shape.dim[0].size = 3
    message = request(x=short).SerializeToString()
    assert learn(forms, message, loaded).inputs[0].tolist() == [[1, 2], [2, 2], [2, 2]]
    assert forms.find(message) is None


def test_strings_get_no_form() -> None:
    loaded, forms = servable(x="string"), Forms()
    proto = tensor_pb2.TensorProto(dtype=7, string_val=[b"ab"])
    message = request(x=proto).SerializeToString()
    assert learn(forms, message, loaded).inputs[0].tolist() == b"ab"
    assert forms.find(message) is None


def test_damaged_messages_are_read_as_protobuf_reads_them_or_not_at_all() -> None:
    """A form may fit a damaged message only where protobuf, too, finds nothing but other numbers in it."""
    loaded, forms = servable(a="float", b="double"), Forms()
    good = request(
        a=tensor("float", numbers("float", 1), as_list=True), b=tensor("double", numbers("double", 2))
    ).SerializeToString()
    learn(forms, good, loaded)
    chance, fitted = random.Random(4), 0
    for _ in range(5000):
        damaged = bytearray(good)
        for _ in range(chance.choice((1, 1, 2, 8))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(
                128
            )  # no NaN, which conversion may alter
        form = forms.find(bytes(damaged))
        if form is not None:
            fitted += 1
            parsed = predict_pb2.PredictRequest.FromString(bytes(damaged))
            assert same(form.read(bytes(damaged)), read_question(loaded, parsed))
    assert fitted > 100


def test_no_message_breaks_the_search_for_a_stencil() -> None:
    chance = random.Random(7)
    good = request(x=tensor("float", numbers("float", 1))).SerializeToString()
    for _ in range(5000):
        piece = bytearray(good[: chance.randrange(len(good) + 1)])
        for _ in range(chance.randrange(4)):
            if piece:
                piece[chance.randrange(len(piece))] = chance.randrange(256)
        stencil = cut_stencil(bytes(piece))
        assert stencil is None or stencil.fits(bytes(piece))


def test_equally_long_messages_for_several_models_are_told_apart() -> None:
    forms = Forms()
    for number in range(FORMS_OF_A_LENGTH):
        asked = request(x=tensor("float", numbers("float", 1)))
        asked.model_spec.name = f"m{number}"
        learn(forms, asked.SerializeToString(), servable(x="float"))
    for number in range(FORMS_OF_A_LENGTH):
        asked.model_spec.name = f"m{number}"
        form = forms.find(asked.SerializeToString())
        assert form is not None
        assert form.choice[0] == f"m{number}"


def test_what_is_remembered_is_bounded() -> None:
    loaded, forms = servable(x="float"), Forms()
    for size in range(1, MAX_LENGTHS + 2):
        learn(forms, request(x=tensor("float", numbers("float", 1, (size,)))).SerializeToString(), loaded)
    first = request(x=tensor("float", numbers("float", 1, (1,))))
    assert forms.find(first.SerializeToString()) is None
    last = request(x=tensor("float", numbers("float", 1, (MAX_LENGTHS + 1,))))
    assert forms.find(last.SerializeToString()) is not None


def test_a_question_that_is_refused_teaches_nothing() -> None:
    loaded, forms = servable(x="float"), Forms()
    message = request(x=tensor("double", numbers("double", 1))).SerializeToString()
    with pytest.raises(ServingError):
        learn(forms, message, loaded)
    assert forms.find(message) is None

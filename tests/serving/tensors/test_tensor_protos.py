import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.backend.fake import spec
from serving.errors import InvalidRequest, RequestTooLarge
from serving.protos import tensor_pb2
from serving.tensors.dtypes import BY_NAME, Array
from serving.tensors.tensor_protos import read_tensor, write_tensor
from serving.tensors.wire import length_delimited, varint

NUMERIC = [name for name, dtype in BY_NAME.items() if not dtype.is_string]


def random_array(name: str, shape: tuple[int, ...]) -> Array:
    storage = BY_NAME[name].storage
    count = int(np.prod(shape))
    if name == "bool":
        return (np.arange(count) % 2 == 0).reshape(shape)
    bits = np.random.default_rng(7).bytes(count * storage.itemsize)
    return np.frombuffer(bits, storage).reshape(shape)


def parse(message: bytes) -> tensor_pb2.TensorProto:
    return tensor_pb2.TensorProto.FromString(message)


@pytest.mark.parametrize("as_content", [False, True], ids=["typed lists", "tensor_content"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 2), (2, 3)], ids=str)
@pytest.mark.parametrize("name", NUMERIC)
def test_what_is_written_is_read_back(name: str, shape: tuple[int, ...], as_content: bool) -> None:
    array = random_array(name, shape)
    message = parse(write_tensor(array, BY_NAME[name], as_content=as_content))
    back = read_tensor(message, spec("x", name, None))
    assert back.shape == shape
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


def test_strings_are_written_and_read_back() -> None:
    array = np.array([[b"", b"\0\xff"], [b"a", b"bc"]], object)
    message = parse(write_tensor(array, BY_NAME["string"], as_content=True))
    assert read_tensor(message, spec("x", "string", (None, 2))).tolist() == array.tolist()


def test_answers_come_in_the_typed_list_that_clients_read() -> None:
    message = parse(write_tensor(np.array([[1.5, 2.5]], np.float32), BY_NAME["float"]))
    assert list(message.float_val) == [1.5, 2.5]
    assert [axis.size for axis in message.tensor_shape.dim] == [1, 2]
    assert message.dtype == 1


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "name", ["float", "int8", "half", "bfloat16", "complex64", "uint64", "bool", "string"]
)
def test_tensorflow_reads_what_is_written(name: str) -> None:
    import tensorflow as tf

    array = random_array(name, (2, 3)) if name != "string" else np.array([[b"a", b"b", b""]], object)
    message = parse(write_tensor(array, BY_NAME[name]))
    read = tf.make_ndarray(message)
    assert read.tolist() == array.tolist() if name == "string" else read.tobytes() == array.tobytes()


def test_the_last_value_fills_what_is_missing() -> None:
    message = tensor_pb2.TensorProto(dtype=1, float_val=[1, 2])
    message.tensor_shape.dim.add(size=4)
    assert read_tensor(message, spec("x", "float", (None,))).tolist() == [1, 2, 2, 2]


def proto(dtype: int, shape: list[int], **fields: object) -> tensor_pb2.TensorProto:
    message = tensor_pb2.TensorProto(dtype=dtype, **fields)
    for size in shape:
        message.tensor_shape.dim.add(size=size)
    return message


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        pytest.param(
            proto(2, [1], double_val=[1]), "must be of type float and shape .*, got type double", id="type"
        ),
        pytest.param(proto(99, [1]), "got type 99", id="unknown type"),
        pytest.param(proto(1, [1, 2], float_val=[1, 2]), r"shape \[-1\], got shape \[1,2\]", id="rank"),
        pytest.param(proto(1, [-1], float_val=[1]), "without open sizes", id="open size"),
        pytest.param(
            proto(1, [2], float_val=[1, 2, 3]), "must have 2 values, .* got 3", id="too many values"
        ),
        pytest.param(proto(1, [2]), "must have 2 values, .* got 0", id="no values"),
        pytest.param(
            proto(1, [2], tensor_content=b"1234567"), "must have 8 bytes .* got 7", id="content cut off"
        ),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused(message: tensor_pb2.TensorProto, complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=complaint):
        read_tensor(message, spec("x", "float", (None,)))


def test_a_short_message_cannot_ask_for_much_memory() -> None:
    message = proto(1, [1 << 40], float_val=[1])
    with pytest.raises(RequestTooLarge, match="must be at most 1000 bytes"):
        read_tensor(message, spec("x", "float", (None,)), limit_bytes=1000)


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_varints_are_those_of_protobuf(value: int) -> None:
    # Field 17 of TensorProto is the packed list uint64_val.
    message = parse(length_delimited(17, varint(value)))
    assert list(message.uint64_val) == [value]

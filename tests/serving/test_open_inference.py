"""The declared messages against bytes that KServe's own classes wrote (kserve 0.21, grpc_predict_v2_pb2).

One message of each kind with every field set: a wrong number or type in the table would show.
"""

from typing import Any

import pytest

from serving import open_inference as protos

REQUEST = bytes.fromhex(
    "0a016d1201331a017122150a0e7369676e61747572655f6e616d6512031a01732a500a01781204465033321a02010222070a016e120210"
    "052a380a0101120affffffffffffffffff011a0afeffffffffffffffff012201032a010432080000c03f000000c03a08000000000000e03f"
    "420162320c0a017912070a0166120208013a03726177"
)
RESPONSE = bytes.fromhex("0a016d1201331a01712a190a01791204465033321a0201022a0a320800004040000080c03203726177")
METADATA = bytes.fromhex(
    "0a016d1201331a017022160a01781204465033321a0bffffffffffffffffff01022a160a0179120542595445531a0affffffffffffffffff01"
)


def request() -> Any:
    message = protos.ModelInferRequest(model_name="m", model_version="3", id="q")
    message.parameters["signature_name"].string_param = "s"
    tensor = message.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    tensor.parameters["n"].int64_param = 5
    contents = tensor.contents
    contents.fp32_contents.extend([1.5, -2])
    contents.fp64_contents.append(0.5)
    contents.bool_contents.append(True)
    contents.int_contents.append(-1)
    contents.int64_contents.append(-2)
    contents.uint_contents.append(3)
    contents.uint64_contents.append(4)
    contents.bytes_contents.append(b"b")
    message.outputs.add(name="y").parameters["f"].bool_param = True
    message.raw_input_contents.append(b"raw")
    return message


def response() -> Any:
    message = protos.ModelInferResponse(model_name="m", model_version="3", id="q")
    message.outputs.add(name="y", datatype="FP32", shape=[1, 2]).contents.fp32_contents.extend([3, -4])
    message.raw_output_contents.append(b"raw")
    return message


def metadata() -> Any:
    message = protos.ModelMetadataResponse(name="m", versions=["3"], platform="p")
    message.inputs.add(name="x", datatype="FP32", shape=[-1, 2])
    message.outputs.add(name="y", datatype="BYTES", shape=[-1])
    return message


@pytest.mark.parametrize(
    ("message", "octets"),
    [
        pytest.param(request(), REQUEST, id="ModelInferRequest"),
        pytest.param(response(), RESPONSE, id="ModelInferResponse"),
        pytest.param(metadata(), METADATA, id="ModelMetadataResponse"),
        pytest.param(
            protos.ModelReadyRequest(name="m", version="3"),
            bytes.fromhex("0a016d120133"),
            id="ModelReadyRequest",
        ),
        pytest.param(protos.ModelReadyResponse(ready=True), b"\x08\x01", id="ModelReadyResponse"),
        pytest.param(
            protos.ServerMetadataResponse(name="n", version="2", extensions=["e"]),
            bytes.fromhex("0a016e1201321a0165"),
            id="ServerMetadataResponse",
        ),
    ],
)
def test_messages_are_those_of_kserve_bit_for_bit(message: Any, octets: bytes) -> None:
    assert message.SerializeToString(deterministic=True) == octets
    assert type(message).FromString(octets) == message


def test_the_service_lists_the_methods_that_are_served() -> None:
    service = protos.POOL.FindServiceByName(protos.SERVICE)
    assert tuple(method.name for method in service.methods) == protos.METHODS

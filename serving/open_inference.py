"""The messages of the Open Inference Protocol's gRPC service, which no package that a server needs ships.

Declared after github.com/kserve/open-inference-protocol, specification/protocol/open_inference_grpc.proto
(Apache License 2.0, The KServe Authors): names, numbers and types are the wire format. The fields of every message
are numbered from 1 in the order below. They live in a pool of their own, so that a client's package for the same
protocol may be loaded in the same process.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE: Final = "inference.GRPCInferenceService"
METHODS: Final = ("ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer")

_Field = descriptor_pb2.FieldDescriptorProto
_PARAMETERS = "map InferParameter"
_MESSAGES: dict[str, dict[str, str]] = {
    "ServerLiveRequest": {},
    "ServerLiveResponse": {"live": "bool"},
    "ServerReadyRequest": {},
    "ServerReadyResponse": {"ready": "bool"},
    "ModelReadyRequest": {"name": "string", "version": "string"},
    "ModelReadyResponse": {"ready": "bool"},
    "ServerMetadataRequest": {},
    "ServerMetadataResponse": {"name": "string", "version": "string", "extensions": "repeated string"},
    "ModelMetadataRequest": {"name": "string", "version": "string"},
    "ModelMetadataResponse.TensorMetadata": {
        "name": "string",
        "datatype": "string",
        "shape": "repeated int64",
    },
    "ModelMetadataResponse": {
        "name": "string",
        "versions": "repeated string",
        "platform": "string",
        "inputs": "repeated ModelMetadataResponse.TensorMetadata",
        "outputs": "repeated ModelMetadataResponse.TensorMetadata",
    },
    "InferParameter": {"bool_param": "bool", "int64_param": "int64", "string_param": "string"},
    "InferTensorContents": {
        "bool_contents": "repeated bool",
        "int_contents": "repeated int32",
        "int64_contents": "repeated int64",
        "uint_contents": "repeated uint32",
        "uint64_contents": "repeated uint64",
        "fp32_contents": "repeated float",
        "fp64_contents": "repeated double",
        "bytes_contents": "repeated bytes",
    },
    "ModelInferRequest.InferInputTensor": {
        "name": "string",
        "datatype": "string",
        "shape": "repeated int64",
        "parameters": _PARAMETERS,
        "contents": "InferTensorContents",
    },
    "ModelInferRequest.InferRequestedOutputTensor": {"name": "string", "parameters": _PARAMETERS},
    "ModelInferRequest": {
        "model_name": "string",
        "model_version": "string",
        "id": "string",
        "parameters": _PARAMETERS,
        "inputs": "repeated ModelInferRequest.InferInputTensor",
        "outputs": "repeated ModelInferRequest.InferRequestedOutputTensor",
        "raw_input_contents": "repeated bytes",
    },
    "ModelInferResponse.InferOutputTensor": {
        "name": "string",
        "datatype": "string",
        "shape": "repeated int64",
        "parameters": _PARAMETERS,
        "contents": "InferTensorContents",
    },
    "ModelInferResponse": {
        "model_name": "string",
        "model_version": "string",
        "id": "string",
        "parameters": _PARAMETERS,
        "outputs": "repeated ModelInferResponse.InferOutputTensor",
        "raw_output_contents": "repeated bytes",
    },
}
_CHOICES = {"InferParameter": "parameter_choice"}
"""Messages whose fields exclude each other, and what the choice is called."""


def _describe_file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="open_inference_grpc.proto", package="inference", syntax="proto3"
    )
    described: dict[str, descriptor_pb2.DescriptorProto] = {}
    for name in sorted(_MESSAGES, key=lambda name: name.count(".")):  # the outer ones first
        outer, _, inner = name.rpartition(".")
        described[name] = (described[outer].nested_type if outer else file.message_type).add(name=inner)
        _add_fields(described[name], name)
    service = file.service.add(name=SERVICE.rpartition(".")[2])
    for method in METHODS:
        service.method.add(
            name=method, input_type=f".inference.{method}Request", output_type=f".inference.{method}Response"
        )
    return file


def _add_fields(message: descriptor_pb2.DescriptorProto, name: str) -> None:
    if name in _CHOICES:
        message.oneof_decl.add(name=_CHOICES[name])
    for number, (field, kind) in enumerate(_MESSAGES[name].items(), start=1):
        label = _Field.LABEL_OPTIONAL if kind.count(" ") == 0 else _Field.LABEL_REPEATED
        added = message.field.add(name=field, number=number, label=label)
        if name in _CHOICES:
            added.oneof_index = 0
        if kind.startswith("map "):
            _add_map(message, f".inference.{name}", added, kind.removeprefix("map "))
        else:
            _set_type(added, kind.removeprefix("repeated "))


def _add_map(
    message: descriptor_pb2.DescriptorProto,
    path: str,
    field: descriptor_pb2.FieldDescriptorProto,
    value: str,
) -> None:
    """What protoc makes of `map<string, value>`: a list of entries."""
    entry = message.nested_type.add(name=f"{field.name.capitalize()}Entry")
    entry.options.map_entry = True
    for number, (name, kind) in enumerate((("key", "string"), ("value", value)), start=1):
        _set_type(entry.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL), kind)
    field.type, field.type_name = _Field.TYPE_MESSAGE, f"{path}.{entry.name}"


def _set_type(field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    if kind in _MESSAGES:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".inference.{kind}"
    else:
        field.type = getattr(_Field, f"TYPE_{kind.upper()}")


POOL: Final = descriptor_pool.DescriptorPool()
POOL.Add(_describe_file())


def _message(name: str) -> type[Any]:  # a class that is made while running has no stub
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"inference.{name}"))


ServerLiveResponse = _message("ServerLiveResponse")
ServerReadyResponse = _message("ServerReadyResponse")
ServerMetadataResponse = _message("ServerMetadataResponse")
ModelReadyRequest, ModelReadyResponse = _message("ModelReadyRequest"), _message("ModelReadyResponse")
ModelMetadataRequest = _message("ModelMetadataRequest")
ModelMetadataResponse = _message("ModelMetadataResponse")
ModelInferRequest, ModelInferResponse = _message("ModelInferRequest"), _message("ModelInferResponse")

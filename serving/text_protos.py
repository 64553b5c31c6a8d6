"""The text protobuf files of `tensorflow_model_server` whose classes no wheel ships.

Their fields are declared here (tensorflow_serving/servables/tensorflow/session_bundle_config.proto and
config/ssl_config.proto), so that protobuf's own reader parses them: a hand-written one would understand half of
the format. Text files name their fields, so the numbers need not be those of the originals.
"""

import dataclasses
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2

from serving.errors import SettingsError
from serving.settings import ServingSettings

_Field = descriptor_pb2.FieldDescriptorProto
_WRAPPERS = "google/protobuf/wrappers.proto"
_BATCHING = {
    "max_batch_size": ".google.protobuf.Int64Value",
    "batch_timeout_micros": ".google.protobuf.Int64Value",
    "max_enqueued_batches": ".google.protobuf.Int64Value",
    "num_batch_threads": ".google.protobuf.Int64Value",
    "thread_pool_name": ".google.protobuf.StringValue",
    "allowed_batch_sizes": "repeated int64",
    "pad_variable_length_inputs": "bool",
    "enable_large_batch_splitting": ".google.protobuf.BoolValue",
    "max_execution_batch_size": ".google.protobuf.Int64Value",
}
_SSL = {"server_key": "string", "server_cert": "string", "custom_ca": "string", "client_verify": "bool"}
_WITHOUT_EFFECT = {
    "batch_timeout_micros": "no request waits for company",
    "allowed_batch_sizes": "batches are not padded",
    "pad_variable_length_inputs": "only inputs of equal inner shape are joined",
    "thread_pool_name": "threads have names of their own",
    "enable_large_batch_splitting": "long requests always run in slices",
    "max_execution_batch_size": "use max_batch_size",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TlsMaterial:
    """What an SSLConfig holds, as PEM."""

    key: str
    certificate: str
    authority: str
    """Who signed the clients' certificates; empty for the system's authorities."""
    verifies_clients: bool


def apply_batching(settings: ServingSettings) -> tuple[ServingSettings, list[str]]:
    """The settings with those of --batching_parameters_file, and a warning for each that has no effect here.

    Raises SettingsError when there is such a file and it is malformed, or batching is switched off.
    """
    if not settings.batching_parameters_file:
        return settings, []
    if not settings.enable_batching:
        raise SettingsError(
            "batching_parameters_file needs enable_batching, got it switched off; keep one of the two"
        )
    message = _read(settings.batching_parameters_file, "BatchingParameters", _BATCHING)
    named = {field.name for field, _ in message.ListFields()}
    rows = message.max_batch_size.value if "max_batch_size" in named else settings.max_batch_rows
    changes: dict[str, Any] = {"max_batch_rows": rows}
    if "num_batch_threads" in named:
        changes["worker_threads"] = message.num_batch_threads.value
    if "max_enqueued_batches" in named:
        changes["max_queue_rows"] = message.max_enqueued_batches.value * rows
    warnings = [
        f"{name} has no effect here: {_WITHOUT_EFFECT[name]}" for name in sorted(named & set(_WITHOUT_EFFECT))
    ]
    return dataclasses.replace(settings, **changes), warnings


def read_tls(path: str) -> TlsMaterial:
    """The SSLConfig in a file. Raises SettingsError when it is malformed or lacks key or certificate."""
    message = _read(path, "SSLConfig", _SSL)
    if not message.server_key or not message.server_cert:
        raise SettingsError(f"expected server_key and server_cert in {path}, got one or none of them")
    return TlsMaterial(
        key=message.server_key,
        certificate=message.server_cert,
        authority=message.custom_ca,
        verifies_clients=message.client_verify,
    )


def _read(path: str, name: str, fields: dict[str, str]) -> Any:  # noqa: ANN401 - a class made while running
    message = _message_class(name, fields)()
    try:
        return text_format.Parse(Path(path).read_text(), message)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"expected {name} as text protobuf in {path}, got: {error}") from error
    except text_format.ParseError as error:
        # The reader's message quotes the line, which may hold a key.
        raise SettingsError(
            f"expected {name} as text protobuf in {path}, got something else in line {error.GetLine()}"
        ) from None


def _message_class(name: str, fields: dict[str, str]) -> type[Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto", package="tfsp", syntax="proto3", dependency=[_WRAPPERS]
    )
    message = file.message_type.add(name=name)
    for number, (field, kind) in enumerate(fields.items(), start=1):
        message.field.append(_field(field, number, kind))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tfsp.{name}"))


def _field(name: str, number: int, kind: str) -> descriptor_pb2.FieldDescriptorProto:
    label = _Field.LABEL_REPEATED if kind.startswith("repeated") else _Field.LABEL_OPTIONAL
    if kind.startswith("."):
        return _Field(name=name, number=number, label=label, type=_Field.TYPE_MESSAGE, type_name=kind)
    types = {"bool": _Field.TYPE_BOOL, "string": _Field.TYPE_STRING, "int64": _Field.TYPE_INT64}
    return _Field(name=name, number=number, label=label, type=types[kind.rpartition(" ")[2]])

"""`ModelSpec` to the servable it means, and back."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from serving.errors import InvalidRequest
from serving.protos import model_pb2
from serving.repository import Repository, Servable
from serving.tensors.wire import length_delimited, varint_field

M = TypeVar("M", bound=Message)


def parse_message(kind: type[M], message: bytes) -> M:
    """`message` as `kind`. Raises InvalidRequest when it is none."""
    try:
        return kind.FromString(message)
    except DecodeError as error:
        raise InvalidRequest(
            f"expected a {kind.DESCRIPTOR.full_name}, got {len(message)} bytes that are none"
        ) from error


def resolve(repository: Repository, spec: model_pb2.ModelSpec) -> Servable:
    """The servable that `spec` means. Raises NotFound, InvalidRequest."""
    choice = spec.WhichOneof("version_choice")
    version = spec.version.value if choice == "version" else None
    return repository.resolve(spec.name, version, spec.version_label or None)


def write_spec(name: str, version_number: int, signature_name: str) -> bytes:
    """A serialized ModelSpec with the version that answered."""
    version = varint_field(1, version_number) if version_number else b""
    return b"".join(
        (
            length_delimited(1, name.encode()),
            length_delimited(2, version),
            length_delimited(3, signature_name.encode()),
        )
    )

"""Server reflection, v1 and v1alpha: what `grpcurl` and the like ask before they know a message.

The two versions are the same on the wire and differ in names only (grpc/grpc-proto, grpc/reflection/v1). Answers
bring a file together with everything that it imports, so that one question is enough.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2

from serving.errors import InvalidRequest
from serving.grpc.specs import parse_message
from serving.http2 import StatusCode
from serving.open_inference import POOL

if TYPE_CHECKING:
    from serving.grpc.streaming import Conversation

_ALPHA: Final = "grpc.reflection.v1alpha"
_STABLE: Final = "grpc.reflection.v1"
SERVICES: Final = (f"{_STABLE}.ServerReflection", f"{_ALPHA}.ServerReflection")

_File = Any
"""A FileDescriptor; protobuf's implementations share no class."""


def _stable_pool() -> descriptor_pool.DescriptorPool:
    """A pool with the v1 service, which no package that a server needs ships: v1alpha's file under other names."""
    file = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(file)
    file.name, file.package = "grpc/reflection/v1/reflection.proto", _STABLE
    for field in (field for message in file.message_type for field in message.field if field.type_name):
        field.type_name = field.type_name.replace(_ALPHA, _STABLE)
    for method in (method for service in file.service for method in service.method):
        method.input_type = method.input_type.replace(_ALPHA, _STABLE)
        method.output_type = method.output_type.replace(_ALPHA, _STABLE)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_POOLS: Final = (descriptor_pool.Default(), POOL, _stable_pool())


class Reflection:
    """Tells of `services`, and of every message that this process knows."""

    def __init__(self, services: Sequence[str]) -> None:
        self._services = services

    async def serve(self, call: "Conversation") -> None:
        """A `StreamingMethod`."""
        while (message := await call.receive()) is not None:
            await call.send(self.answer(message))

    def answer(self, message: bytes) -> bytes:
        """A serialized ServerReflectionResponse. Raises InvalidRequest when `message` is no request."""
        request = parse_message(reflection_pb2.ServerReflectionRequest, message)
        response = reflection_pb2.ServerReflectionResponse(valid_host=request.host, original_request=request)
        try:
            self._fill(request, response)
        except KeyError:
            response.error_response.error_code = int(StatusCode.NOT_FOUND)
            response.error_response.error_message = "this server knows nothing of that name"
        serialized: bytes = response.SerializeToString()
        return serialized

    def _fill(
        self,
        request: reflection_pb2.ServerReflectionRequest,
        response: reflection_pb2.ServerReflectionResponse,
    ) -> None:
        """Raises KeyError for an unknown name."""
        match request.WhichOneof("message_request"):
            case "list_services":
                for name in self._services:
                    response.list_services_response.service.add(name=name)
            case "file_by_filename":
                _add_files(response, _find("FindFileByName", request.file_by_filename))
            case "file_containing_symbol":
                _add_files(response, _find_file_of(request.file_containing_symbol))
            case "file_containing_extension":
                raise KeyError(request.file_containing_extension.containing_type)  # proto3 has none
            case "all_extension_numbers_of_type":
                name = request.all_extension_numbers_of_type
                found = _find("FindMessageTypeByName", name)
                response.all_extension_numbers_response.base_type_name = found.full_name
            case _:
                raise InvalidRequest("expected a question in the ServerReflectionRequest, got none")


def _find_file_of(symbol: str) -> _File:
    try:
        return _find("FindFileContainingSymbol", symbol)
    except KeyError:
        # Not every implementation of protobuf's pools knows methods as symbols.
        service, _, method = symbol.rpartition(".")
        found = _find("FindServiceByName", service)
        return found.methods_by_name[method].containing_service.file


def _find(how: str, name: str) -> Any:  # noqa: ANN401 - see _File
    for pool in _POOLS:
        find: Callable[[str], Any] = getattr(pool, how)
        try:
            return find(name)
        except KeyError:
            continue
    raise KeyError(name)


def _add_files(response: reflection_pb2.ServerReflectionResponse, file: _File) -> None:
    for each in _with_imports([file]):
        response.file_descriptor_response.file_descriptor_proto.append(each.serialized_pb)


def _with_imports(files: Iterable[_File]) -> list[_File]:
    found: dict[str, _File] = {}
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file.name not in found:
            found[file.name] = file
            waiting.extend(file.dependencies)
    return list(found.values())

"""ModelService.HandleReloadConfigRequest: another set of models from now on (tensorflow_serving/model_servers/model_service_impl.cc).

Whoever may call it may have any SavedModel loaded that the process can read, so it is refused until an operator
switches it on, and --access_file can say who may. As in TensorFlow Serving the answer comes when the new set is
served; a set that fails leaves the old one.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from serving.calls import Call
from serving.errors import InvalidRequest, PermissionRefused, SettingsError
from serving.grpc.calls import Method, uncounted
from serving.grpc.specs import parse_message
from serving.protos import model_management_pb2
from serving.repository import ModelSource, sources_of

Replace = Callable[[Sequence[ModelSource]], Awaitable[None]]
"""Serve these models and no others. Raises ModelError, SettingsError; then what was served stays."""

OFF: Final = (
    "what is served may not be changed here: start the server with --enable_config_reload to allow it"
)


def reload_method(replace: Replace | None) -> Method:
    """The method; without `replace` it refuses."""

    async def answer(message: bytes, _call: Call) -> bytes:
        if replace is None:
            raise PermissionRefused(OFF)
        request = parse_message(model_management_pb2.ReloadConfigRequest, message)
        if request.config.WhichOneof("config") != "model_config_list":
            raise InvalidRequest(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is "
                "currently supported"
            )
        try:
            await replace(sources_of(request.config, origin="the request"))
        except SettingsError as error:
            raise InvalidRequest(str(error)) from error
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()  # its code is 0, OK
        serialized: bytes = response.SerializeToString()
        return serialized

    return uncounted(answer)

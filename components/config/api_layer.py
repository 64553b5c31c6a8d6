"""`server.settings`: the API layer's own flags, read by the API layer's own table, so that both sides refuse the same mistakes."""

from collections.abc import Mapping
from typing import Any, Final

from components.config.fields import did_you_mean
from components.errors import ConfigError
from serving.errors import SettingsError
from serving.settings import ServingSettings, fields, parse_value

SECRET_FILES: Final = ("access_file", "ssl_config_file")
"""Flags that name a file with secrets in it: a Secret's, mounted."""
OWNED: Final = {
    **{name: f"set server.secretFiles.{name} to the Secret and key that hold it" for name in SECRET_FILES},
    "port": "the pod's gRPC port is fixed; see server.grpcNodePort",
    "rest_api_port": "the pod's REST port is fixed; see server.restNodePort",
    "monitoring_port": "the pod's monitoring port is fixed",
    "console_port": "set server.console",
    "grpc_socket_path": "clients reach the pod by its ports",
    "listen_address": "a pod listens on all its addresses",
    "model_name": "set model.name",
    "model_base_path": "the model is a layer of the image",
    "model_signature_keys": "set model.signatureKeys",
    "model_config_file": "the model is a layer of the image",
    "rest_api_timeout_in_ms": "set server.requestTimeoutSeconds",
    "drain_seconds": "it follows from server.requestTimeoutSeconds",
    "per_process_gpu_memory_fraction": "set gpu.memoryPercent",
    "upstream_grpc": "set server.runtime",
    "upstream_rest": "set server.runtime",
    "shutdown_grace_seconds": "it follows from server.requestTimeoutSeconds",
}
"""Flags that follow from other keys, with the key to use instead."""


def api_layer_settings(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of `server.settings` in the types of ServingSettings.

    Raises ConfigError for a name that is unknown or follows from another key, and for a value that ServingSettings refuses.
    """
    known = {each.name for each in fields()}
    for name in raw:
        if name in OWNED:
            raise ConfigError(f"server.settings.{name} cannot be set here: {OWNED[name]}")
        if name not in known:
            raise ConfigError(f"unknown key server.settings.{name}{did_you_mean(name, known)}")
    try:
        values: dict[str, Any] = {
            name: parse_value(name, _text(value), source=f"server.settings.{name}")
            for name, value in raw.items()
        }
        ServingSettings(**values)
    except SettingsError as error:
        raise ConfigError(f"server.settings: {error}") from error
    return values


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Contradictions of a server with itself: its ports, its console, its secrets, and what runs the model."""

import re
from typing import Final

from components.config.api_layer import SECRET_FILES, api_layer_settings
from components.config.fields import did_you_mean
from components.config.model_sections import ServedModel, ServerConfig
from components.errors import ConfigError, config_error

_NODE_PORTS: Final = range(30_000, 32_768)
_REFERENCE: Final = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[-._a-zA-Z0-9]+"


def check_server(served: ServedModel) -> None:
    """Raise ConfigError for the first contradiction."""
    _check_ports(served.server)
    _check_console(served.server)
    _check_secret_files(served.server)
    api_layer_settings(served.server.settings)
    _check_upstream(served)


def _check_ports(server: ServerConfig) -> None:
    for key, port in (("restNodePort", server.rest_node_port), ("grpcNodePort", server.grpc_node_port)):
        if port and server.service_type == "ClusterIP":
            raise ConfigError(
                f"server.{key} is {port} but server.serviceType is ClusterIP; set it to NodePort, or leave the port out"
            )
        if port and port not in _NODE_PORTS:
            raise config_error(f"server.{key}", "0, or from 30000 to 32767", port)


def _check_upstream(served: ServedModel) -> None:
    if served.has_upstream and not served.upstream.image:
        raise ConfigError(
            "upstream.image is not set but server.runtime is tensorflow-serving; name the official server by digest with "
            "`pulumi config set --path upstream.image docker.io/tensorflow/serving:2.20.0@sha256:DIGEST`"
        )
    if served.has_upstream and served.autoscaling.queue_wait_milliseconds:
        raise ConfigError(
            "autoscaling.queueWaitMilliseconds needs the API layer's own queue, but server.runtime is tensorflow-serving, which waits inside; "
            "set autoscaling.inFlightRequests in its place"
        )
    if served.has_upstream and served.server.console:
        raise ConfigError(
            "server.console needs a model in the API layer's own process, but server.runtime is tensorflow-serving; leave one out"
        )
    if served.has_upstream and served.upstream.rest and not served.exposure.network_policies:
        raise ConfigError(
            "upstream.rest needs exposure.networkPolicies: TensorFlow Serving listens for REST on every address of the pod, and policies keep "
            "others out; switch them on, or set upstream.rest to false"
        )
    if served.upstream.image and not served.has_upstream:
        raise ConfigError(
            f"upstream.image is set but server.runtime is {served.server.runtime}; set it to tensorflow-serving, or leave upstream out"
        )


def _check_secret_files(server: ServerConfig) -> None:
    for flag, reference in server.secret_files.items():
        key = f"server.secretFiles.{flag}"
        if flag not in SECRET_FILES:
            raise ConfigError(f"unknown key {key}{did_you_mean(flag, SECRET_FILES)}")
        if not isinstance(reference, str) or not re.fullmatch(_REFERENCE, reference):
            # The value is not shown: somebody may have pasted the secret itself.
            raise ConfigError(
                f"{key} must be `secret/key`, the names of a Secret and of a file in it; never put the content itself into a stack's file"
            )


def _check_console(server: ServerConfig) -> None:
    port = server.console_node_port
    if port and not server.console:
        raise ConfigError(
            f"server.consoleNodePort is {port} but server.console is false; set it to true, or leave the port out"
        )
    if port and port not in _NODE_PORTS:
        raise config_error("server.consoleNodePort", "0, or from 30000 to 32767", port)

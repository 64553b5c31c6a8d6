"""Settings of servers on free ports of the loopback."""

from typing import Any

from serving.settings import ServingSettings
from tests.serving.processes import free_port


def settings(**more: Any) -> ServingSettings:
    ports = {"port": free_port(), "rest_api_port": free_port()}
    return ServingSettings(listen_address="127.0.0.1", model_name="double", **(ports | more))

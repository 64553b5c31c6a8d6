"""Settings that cannot both be meant: each check takes plain values and raises a sentence with a remedy."""

from collections.abc import Mapping
from typing import Any

from serving.errors import SettingsError

_PORTS = ("port", "rest_api_port", "monitoring_port", "console_port")


def check(values: Mapping[str, Any]) -> None:
    """All of the checks below, for the settings by name."""
    check_ports({name: values[name] for name in _PORTS}, has_socket=bool(values["grpc_socket_path"]))
    check_models(base_path=values["model_base_path"], config_file=values["model_config_file"])
    check_upstream(
        addresses={name: values[name] for name in ("upstream_rest", "upstream_grpc")},
        base_path=values["model_base_path"],
        console_port=values["console_port"],
    )
    check_parallelism(
        session=values["tensorflow_session_parallelism"],
        intra_op=values["tensorflow_intra_op_parallelism"],
        inter_op=values["tensorflow_inter_op_parallelism"],
    )
    check_reload(is_enabled=values["enable_config_reload"], access_file=values["access_file"])
    check_window(start=values["accuracy_start"], stop=values["accuracy_stop"])


def check_ports(ports: Mapping[str, int], *, has_socket: bool) -> None:
    """Raises SettingsError when two ports are one, or nothing at all is listened on; 0 is a closed port."""
    taken: dict[int, str] = {}
    for name, number in ports.items():
        if number and number in taken:
            raise SettingsError(
                f"{name} must differ from {taken[number]}, got {number} for both; change one, or 0 closes it"
            )
        taken[number] = name
    if not ports["port"] and not ports["rest_api_port"] and not has_socket:
        raise SettingsError("at least one of port, grpc_socket_path and rest_api_port must be set, got none")


def check_models(*, base_path: str, config_file: str) -> None:
    """Raises SettingsError when both say what is served."""
    if base_path and config_file:
        raise SettingsError("model_base_path and model_config_file exclude each other, got both; keep one")


def check_upstream(*, addresses: Mapping[str, str], base_path: str, console_port: int) -> None:
    """Raises SettingsError when models are computed elsewhere, and something of here is asked to compute or show them."""
    used = next((name for name, address in addresses.items() if address), "")
    if used and base_path:
        raise SettingsError(
            f"{used} and model_base_path exclude each other, got both: the upstream server has the model; keep one"
        )
    if used and console_port:
        raise SettingsError(
            f"{used} excludes console_port, got both: the console shows models of its own server; leave one out"
        )


def check_parallelism(*, session: int, intra_op: int, inter_op: int) -> None:
    """Raises SettingsError when the sum and its parts are both given."""
    if session and (intra_op or inter_op):
        raise SettingsError(
            "tensorflow_session_parallelism excludes tensorflow_intra_op_parallelism and "
            "tensorflow_inter_op_parallelism, got both; keep one"
        )


def check_reload(*, is_enabled: bool, access_file: str) -> None:
    """Raises SettingsError when whoever reaches the port could change what is served: loading any path is running any code."""
    if is_enabled and not access_file:
        raise SettingsError(
            "enable_config_reload needs access_file, got none: name there who may `reload`, or leave the reload out"
        )


def check_window(*, start: float, stop: float | None) -> None:
    """Raises SettingsError when the accuracy window would be empty."""
    if stop is not None and stop <= start:
        raise SettingsError(
            f"accuracy_stop must be above accuracy_start ({start}), got {stop}; raise it or leave it empty for never"
        )

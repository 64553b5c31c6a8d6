"""The flags of `tensorflow_model_server`, as types: the server itself prints a flag that it does not know, ignores it, and starts.

Source: tensorflow_serving/model_servers/main.cc and server.cc of 2.20. Only flags with a use here exist; each default that differs from
the server's own has its reason. A combination at which the server would stop after it has loaded the model is refused before that.
"""

from dataclasses import dataclass, fields

from components.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class UpstreamFlags:
    """One command line; every field is a flag of the same name."""

    grpc_socket_path: str
    """Where the API layer reaches it. A port would carry `HandleReloadConfigRequest`, with which anybody loads any path."""
    port: int = 0
    """No TCP port for gRPC."""
    rest_api_port: int = 0
    """Prediction, metadata and metrics; it can reload nothing, but it cannot be bound to 127.0.0.1 alone either."""
    rest_api_timeout_in_ms: int = 30_000
    """Not above the API layer's own, so that what nobody waits for any more is not computed."""
    model_config_file: str
    model_config_file_poll_wait_seconds: int = 0
    """Read once: a reload that names a missing model blocks the thread that would read its correction."""
    file_system_poll_wait_seconds: int = 0
    """Look once: a pod serves one version for life; an emptied folder would unload it."""
    allow_version_labels_for_unavailable_models: bool = True
    """Labels stand in the first configuration, when no version is loaded yet."""
    max_num_load_retries: int = 1
    load_retry_interval_micros: int = 1_000_000
    """Its own defaults, five times a minute, would hide for five minutes that a model does not load."""
    num_load_threads: int = 1
    """0 loads in the thread that manages versions; more than 1 keeps the files of models in the page cache."""
    enable_batching: bool
    batching_parameters_file: str = ""
    """With it and without `enable_batching` the server refuses to start."""
    monitoring_config_file: str = ""
    """Parsed after the models have loaded."""
    enable_model_warmup: bool
    grpc_max_threads: int
    tensorflow_intra_op_parallelism: int
    tensorflow_inter_op_parallelism: int
    """All three default to the processors of the node, whatever the pod may use of them."""
    per_process_gpu_memory_fraction: float = 0.0
    enable_profiler: bool = False
    """On by default, on the port that clients use."""

    def __post_init__(self) -> None:
        if self.port and self.port == self.rest_api_port:
            raise ConfigError(
                f"port and rest_api_port of TensorFlow Serving must differ, got {self.port} for both; it would leave REST out"
            )
        if self.batching_parameters_file and not self.enable_batching:
            raise ConfigError(
                "batching_parameters_file of TensorFlow Serving needs enable_batching, got it switched off; leave one out"
            )
        if self.monitoring_config_file and not self.rest_api_port:
            raise ConfigError(
                "monitoring_config_file of TensorFlow Serving needs rest_api_port, got 0: metrics are a page of its REST API"
            )

    def words(self) -> list[str]:
        """Return the arguments; what is empty is left out."""
        values = ((each.name, getattr(self, each.name)) for each in fields(self))
        return [f"--{name}={_word(value)}" for name, value in values if value != ""]


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Every choice an operator has about the server, as one frozen value.

The dataclass below is the only table: flags (`serving.flags`), environment variables (`TFSP_<FIELD>`)
and the documentation are read from it. Names that `tensorflow_model_server` has are spelled as it spells
them. The Pulumi side writes a pod's environment with `to_env`, the container reads it with `from_env`.
Standard library only, because both sides import it.
"""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, ClassVar

from serving import contradictions, texts
from serving.errors import SettingsError
from serving.texts import Value
from serving.texts import setting as _setting

_MEBIBYTE = 1 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServingSettings:
    """All settings of one server process; see each field's text."""

    ENV_PREFIX: ClassVar[str] = "TFSP_"

    listen_address: str = _setting(
        "0.0.0.0",  # noqa: S104 - a container is reached through its pod address; tensorflow_model_server does the same
        "Address that every TCP port is bound to.",
    )
    port: int = _setting(8500, "TCP port of the gRPC API; 0 closes it.", minimum=0, maximum=65535)
    grpc_socket_path: str = _setting("", "Unix socket of the gRPC API; empty for none.")
    rest_api_port: int = _setting(
        8501, "TCP port of the REST API, /livez, /readyz and /metrics; 0 closes it.", minimum=0, maximum=65535
    )
    monitoring_port: int = _setting(
        0,
        "TCP port of its own for /metrics, /livez and /readyz; 0: the REST port answers /metrics too.",
        minimum=0,
        maximum=65535,
    )
    console_port: int = _setting(
        0, "TCP port of the page to try a model in a browser; 0: there is none.", minimum=0, maximum=65535
    )
    rest_api_timeout_in_ms: int = _setting(
        30_000, "Milliseconds a REST request may take, from its last byte in to its answer.", minimum=1
    )
    grpc_transport: str = _setting(
        "http2",
        "What carries gRPC: http2 (our own, fast) or grpcio (slower, takes grpc_channel_arguments).",
        choices=("http2", "grpcio"),
    )
    grpc_channel_arguments: str = _setting(
        "", "Server arguments for grpc_transport=grpcio, `name=value` separated by commas."
    )

    ssl_config_file: str = _setting(
        "", "SSLConfig as text protobuf: key and certificates for gRPC; empty for plaintext."
    )
    enable_rest_tls: bool = _setting(
        default=False, doc="Use --ssl_config_file on the REST port and the console too."
    )

    access_file: str = _setting(
        "",
        "JSON of who may use which model, by bearer token or client certificate, read again when it changes; empty lets "
        "everybody in.",
    )

    upstream_rest: str = _setting(
        "",
        "HOST:PORT or unix:PATH of a TensorFlow Serving whose REST API answers instead of a model in this process.",
    )
    upstream_grpc: str = _setting(
        "",
        "HOST:PORT or unix:PATH of a TensorFlow Serving whose gRPC API answers instead of a model in this process.",
    )
    enable_config_reload: bool = _setting(
        default=False,
        doc="Let identities of --access_file that may `reload` replace the set of models; off, it is PERMISSION_DENIED.",
    )

    model_name: str = _setting("default", "Name of the model under --model_base_path.")
    model_base_path: str = _setting(
        "", "Folder that holds the model's version folders, e.g. DIR/mnist of DIR/mnist/1."
    )
    model_config_file: str = _setting(
        "", "ModelServerConfig as text protobuf; replaces model_name and model_base_path."
    )
    model_config_file_poll_wait_seconds: int = _setting(
        0, "Seconds between two readings of --model_config_file; 0 reads it once.", minimum=0
    )
    file_system_poll_wait_seconds: int = _setting(
        0,
        "Seconds between two looks for new versions; 0 looks once, as a pod serves one version for life.",
        minimum=0,
    )
    allow_version_labels_for_unavailable_models: bool = _setting(
        default=False, doc="Accept a label for a version that is not loaded yet."
    )
    max_num_load_retries: int = _setting(1, "Further attempts to load a version that failed.", minimum=0)
    load_retry_interval_micros: int = _setting(
        1_000_000, "Microseconds between two attempts to load.", minimum=0
    )
    saved_model_tags: str = _setting("serve", "Tags of the SavedModel's meta graph, separated by commas.")
    model_signature_keys: str = _setting(
        "", "Public keys in PEM, as text: a version that none of them signed is not loaded; empty loads any."
    )
    enable_input_shape_check: bool = _setting(
        default=False,
        doc="Refuse inputs of other shapes than the signature's; off, TensorFlow judges, as in tensorflow_model_server.",
    )
    enable_model_warmup: bool = _setting(
        default=True, doc="Replay assets.extra/tf_serving_warmup_requests before a version is AVAILABLE."
    )
    num_request_iterations_for_warmup: int = _setting(
        1, "How often each warm-up request is replayed.", minimum=1
    )

    enable_batching: bool = _setting(
        default=True, doc="Join requests that wait at the same moment; it adds no waiting time."
    )
    batching_parameters_file: str = _setting(
        "", "BatchingParameters as text protobuf, as TensorFlow Serving reads it."
    )
    max_batch_rows: int = _setting(
        64, "Most rows in one call of the model; longer requests run in slices.", minimum=1
    )

    backend: str = _setting(
        "auto",
        "How TensorFlow is called: c_api (libraries only), python (its Python package), auto (the first that works).",
        choices=("auto", "c_api", "python"),
    )
    backend_profile: str = _setting(
        "auto",
        "single_thread suits small models, thread_pool big ones; auto decides by the size of the model.",
        choices=("auto", "single_thread", "thread_pool"),
    )
    onednn: str = _setting(
        "auto",
        "oneDNN kernels of the whole process: on, off, or auto (by the profile).",
        choices=("auto", "on", "off"),
    )
    tensorflow_library_dir: str = _setting(
        "", "Folder with libtensorflow_cc.so.2; empty looks beside the installed tensorflow package."
    )
    tensorflow_intra_op_parallelism: int = _setting(
        0, "Threads inside one operation; 0 leaves it to the profile.", minimum=0
    )
    tensorflow_inter_op_parallelism: int = _setting(
        0, "Threads across operations; 0 leaves it to the profile.", minimum=0
    )
    tensorflow_session_parallelism: int = _setting(
        0, "Both of the above at once; 0 leaves it to the profile.", minimum=0
    )
    per_process_gpu_memory_fraction: float = _setting(
        0.0,
        "Share of each GPU's memory that TensorFlow may take; 0 lets it grow as needed.",
        minimum=0,
        maximum=1,
    )
    worker_threads: int = _setting(1, "Threads that run batches; each runs one batch at a time.", minimum=1)

    queue_policy: str = _setting(
        "shortest_first",
        "Order of waiting requests: smallest estimated cost first with aging, or first in first out.",
        choices=("shortest_first", "fifo"),
    )
    max_queue_requests: int = _setting(
        2048, "Most requests that may wait for one model; the next one is refused.", minimum=1
    )
    max_queue_rows: int = _setting(
        65_536, "Most rows that may wait for one model; the next request is refused.", minimum=1
    )
    queue_aging_seconds: float = _setting(
        0.1,
        "Requests that waited this long get every other turn, oldest first, whatever their cost.",
        minimum=0,
    )

    output_cache_bytes: int = _setting(
        64 * _MEBIBYTE, "Memory for finished answers; 0 switches the cache off.", minimum=0
    )
    input_cache_bytes: int = _setting(
        0, "Memory for preprocessed inputs; 0 switches the cache off.", minimum=0
    )
    remote_input_prefixes: str = _setting(
        "",
        "URIs separated by commas, such as https://images.example/shop/, from below which the server fetches an input that "
        'a REST body names as {"uri": "..."}; empty for none.',
    )
    accuracy_start: float = _setting(
        0.80, "Answers are cached once the model's accuracy has reached this.", minimum=0, maximum=1
    )
    accuracy_stop: float | None = _setting(
        None,
        "Answers are no longer cached once the accuracy has reached this; empty for never.",
        minimum=0,
        maximum=1,
    )

    max_request_bytes: int = _setting(
        64 * _MEBIBYTE, "Largest body or message; checked before it is buffered.", minimum=1
    )
    max_header_bytes: int = _setting(16_384, "Largest request line and headers together.", minimum=256)
    max_connections: int = _setting(
        4096, "Most open connections on the REST port; the next one is closed.", minimum=1
    )
    receive_timeout_seconds: float = _setting(
        20.0, "A request whose last byte has not come by then is refused.", minimum=0.001
    )
    keep_alive_seconds: float = _setting(75.0, "An idle connection is closed after this.", minimum=0.001)
    enable_serialization_as_tensor_content: bool = _setting(
        default=False,
        doc="Answer gRPC with tensor_content instead of typed lists such as float_val: faster to read.",
    )

    drain_seconds: float = _setting(
        5.0, "After SIGTERM: how long requests are still taken while /readyz already says no.", minimum=0
    )
    shutdown_grace_seconds: float = _setting(
        20.0, "After the drain: how long requests that are running may take to finish.", minimum=0
    )
    access_log: str = _setting(
        "",
        "File that gets one line of JSON for each request, without payloads; - is the standard output, empty is none.",
    )
    access_log_sample: float = _setting(
        1.0,
        "Share of the successful requests that are written there; failures always are.",
        minimum=0,
        maximum=1,
    )
    log_level: str = _setting("info", "How much is logged.", choices=("debug", "info", "warning", "error"))

    def __post_init__(self) -> None:
        for definition in fields():
            texts.check_range(definition.name, getattr(self, definition.name), definition.metadata)
        contradictions.check({definition.name: getattr(self, definition.name) for definition in fields()})

    def to_env(self) -> dict[str, str]:
        """The environment variables that give a process these settings; only what differs from the defaults."""
        values = ((definition, getattr(self, definition.name)) for definition in fields())
        return {
            env_name(definition.name): texts.render(value)
            for definition, value in values
            if value != definition.default
        }

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ServingSettings":
        """The settings that `env` describes; other variables than TFSP_* are ignored.

        Raises SettingsError for a TFSP_* variable that is unknown or whose value does not parse.
        """
        return cls(**values_from_env(env))


def fields() -> tuple["dataclasses.Field[Value]", ...]:
    """The table of settings, in the order of the documentation."""
    return dataclasses.fields(ServingSettings)


def env_name(name: str) -> str:
    """`rest_api_port` -> `TFSP_REST_API_PORT`."""
    return ServingSettings.ENV_PREFIX + name.upper()


def values_from_env(env: Mapping[str, str]) -> dict[str, Any]:
    """The parsed settings among `env`, by field name.

    Raises SettingsError for an unknown TFSP_* variable or a value that does not parse.
    """
    names = {env_name(definition.name): definition.name for definition in fields()}
    values: dict[str, Any] = {}
    for variable, text in env.items():
        if not variable.startswith(ServingSettings.ENV_PREFIX):
            continue
        if variable not in names:
            raise SettingsError(
                f"unknown environment variable {variable}{texts.did_you_mean(variable, names)}"
            )
        values[names[variable]] = parse_value(names[variable], text, source=variable)
    return values


def parse_value(name: str, text: str, *, source: str) -> Value:
    """`text` as the type of the field `name`; `source` is how the operator spelled it, for the message."""
    return texts.parse(typing.get_type_hints(ServingSettings)[name], text, source=source)

"""The command line, spelled as `tensorflow_model_server` spells it.

Each setting is a flag `--name=value`; a boolean may stand alone. A flag of `tensorflow_model_server` that
means nothing here is accepted with a warning, so that an existing start line keeps working; any other
unknown flag is an error, because a mistyped flag that is ignored is found in production (the C++ server
prints such a flag and starts).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from serving import settings, texts
from serving.errors import SettingsError
from serving.settings import ServingSettings

DEFAULTS = ServingSettings()

# tensorflow_model_server 2.20, `--help`; each has a meaning only inside the C++ server.
IGNORED_FLAGS = {
    "rest_api_num_threads": "requests are parsed on one event loop",
    "rest_api_enable_cors_support": "a gateway in front of the server answers preflight requests",
    "grpc_max_threads": "requests are parsed on one event loop",
    "num_load_threads": "versions load one after another",
    "num_unload_threads": "versions unload one after another",
    "flush_filesystem_caches": "the page cache is left to the kernel",
    "platform_config_file": "there is one platform, TensorFlow",
    "enable_profiler": "there is no profiler service",
    "enable_grpc_healthcheck_service": "the health service is always on and tells the truth",
    "enable_per_model_batching_parameters": "batching is per model already",
    "enable_signature_method_name_check": "signatures are checked by their tensors",
    "remove_unused_fields_from_bundle_metagraph": "the meta graph is dropped after loading",
    "prefer_tflite_model": "TensorFlow Lite models are not served",
    "num_tflite_pools": "TensorFlow Lite models are not served",
    "num_tflite_interpreters_per_pool": "TensorFlow Lite models are not served",
    "xla_cpu_compilation_enabled": "XLA is chosen when the model is exported",
    "thread_pool_factory_config_file": "threads are set by backend_profile",
    "monitoring_config_file": "metrics are always on, at /metrics",
    "use_alts_credentials": "ALTS works only on Google's own network",
    "skip_initialize_tpu": "there is no TPU support",
    "mixed_precision": "precision is chosen when the model is exported",
    "tensorflow_gpu_memory_limit_mb": "use per_process_gpu_memory_fraction",
}


def parse_flags(argv: Sequence[str], env: Mapping[str, str]) -> tuple[ServingSettings, list[str]]:
    """The settings of a start line, and one warning for each flag that was accepted without effect.

    Flags win over the environment. Raises SettingsError for an unknown flag, a value that does not parse or
    a contradiction between settings.
    """
    values: dict[str, Any] = settings.values_from_env(env)
    warnings: list[str] = []
    kinds = {definition.name: definition.default for definition in settings.fields()}
    for argument in argv:
        name, value = _split(argument)
        if name in IGNORED_FLAGS:
            warnings.append(f"--{name} has no effect here: {IGNORED_FLAGS[name]}")
            continue
        if name not in kinds:
            raise SettingsError(f"unknown flag --{name}{texts.did_you_mean(name, kinds)}")
        if value is None and not isinstance(kinds[name], bool):
            raise SettingsError(f"--{name} needs a value, got none; write --{name}=VALUE")
        values[name] = settings.parse_value(name, "true" if value is None else value, source=f"--{name}")
    return ServingSettings(**values), warnings


def usage() -> str:
    """The help text: every flag with its default and meaning."""
    lines = ["usage: python -m serving --model_name=NAME --model_base_path=DIR [flags]", ""]
    for definition in settings.fields():
        default = texts.render(getattr(DEFAULTS, definition.name))
        lines.append(f"  --{definition.name}={default}  [{settings.env_name(definition.name)}]")
        lines.append(f"      {definition.metadata['doc']}")
    return "\n".join(lines)


def settings_table() -> str:
    """Every setting as a Markdown table: what docs/serving-settings.md holds."""
    lines = ["| flag | environment | default | meaning |", "|---|---|---|---|"]
    for definition in settings.fields():
        default = texts.render(getattr(DEFAULTS, definition.name))
        choices = definition.metadata["choices"]
        meaning = definition.metadata["doc"] + (f" One of {', '.join(choices)}." if choices else "")
        variable = settings.env_name(definition.name)
        lines.append(
            f"| `--{definition.name}` | `{variable}` | {f'`{default}`' if default else ''} | {meaning} |"
        )
    return "\n".join(lines) + "\n"


def _split(argument: str) -> tuple[str, str | None]:
    if not argument.startswith("--") or argument == "--":
        raise SettingsError(f"expected a flag as --name=value, got {argument!r}")
    name, equals, value = argument[2:].partition("=")
    return name, value if equals else None

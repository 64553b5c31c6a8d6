"""Where models come from and which of their versions are wanted: from two flags or from a configuration file."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

from google.protobuf import text_format

from serving.errors import SettingsError
from serving.protos import file_system_storage_path_source_pb2 as storage
from serving.protos import model_server_config_pb2
from serving.settings import ServingSettings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
"""A model's name stands in paths and in metrics; TensorFlow Serving itself takes anything."""
_PLATFORM = "tensorflow"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """Which of the versions on disk are wanted: the newest few, or all, or these."""

    latest: int = 1
    """How many of the newest; 0 means all."""
    specific: tuple[int, ...] = ()
    """Exactly these, if any are named."""

    def choose(self, versions: Mapping[int, Path]) -> dict[int, Path]:
        """The wanted ones among `versions`, in rising order."""
        if self.specific:
            return {version: versions[version] for version in sorted(self.specific) if version in versions}
        wanted = sorted(versions)[-self.latest :] if self.latest else sorted(versions)
        return {version: versions[version] for version in wanted}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ModelSource:
    """Where a model comes from."""

    name: str
    base_path: Path
    policy: Policy = dataclasses.field(default_factory=Policy)
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Names that clients may use for versions."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise SettingsError(
                f"a model's name must be 1 to 63 letters, digits, dots, dashes or underscores and start with a letter "
                f"or digit, got {self.name!r}; rename it"
            )


def read_sources(settings: ServingSettings) -> list[ModelSource]:
    """The models that the settings name.

    Raises SettingsError when there are none, or the configuration file is missing, malformed or contradictory.
    """
    if settings.model_config_file:
        return _read_file(Path(settings.model_config_file))
    if settings.model_base_path:
        return [ModelSource(name=settings.model_name, base_path=Path(settings.model_base_path))]
    raise SettingsError(
        "expected a model to serve, got none; set --model_base_path to the folder of its versions, or --model_config_file"
    )


def _read_file(path: Path) -> list[ModelSource]:
    try:
        config = text_format.Parse(path.read_text(), model_server_config_pb2.ModelServerConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise SettingsError(
            f"expected a ModelServerConfig as text protobuf in {path}, got: {error}"
        ) from error
    return sources_of(config, origin=str(path))


def sources_of(config: model_server_config_pb2.ModelServerConfig, *, origin: str) -> list[ModelSource]:
    """The models that `config` names; `origin` is where it came from, for messages. Raises SettingsError."""
    sources = [_source(model, origin) for model in config.model_config_list.config]
    names = [source.name for source in sources]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated or not names:
        found = f"{min(repeated)} more than once" if repeated else "none"
        raise SettingsError(f"expected models with names of their own in {origin}, got {found}")
    return sources


def _source(model: model_server_config_pb2.ModelConfig, origin: str) -> ModelSource:
    if model.model_platform not in {"", _PLATFORM}:
        raise SettingsError(
            f"expected the platform of the model {model.name!r} in {origin} to be {_PLATFORM}, got {model.model_platform!r}"
        )
    if not model.base_path:
        raise SettingsError(f"expected a base_path for the model {model.name!r} in {origin}, got none")
    return ModelSource(
        name=model.name,
        base_path=Path(model.base_path),
        policy=_policy(model.model_version_policy),
        labels=dict(model.version_labels),
    )


def _policy(policy: storage.FileSystemStoragePathSourceConfig.ServableVersionPolicy) -> Policy:
    match policy.WhichOneof("policy_choice"):
        case "all":
            return Policy(latest=0)
        case "specific":
            return Policy(specific=tuple(policy.specific.versions))
        case "latest":
            return Policy(latest=max(1, policy.latest.num_versions))
        case _:
            return Policy()

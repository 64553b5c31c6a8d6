"""The door: one Keras file in, a report or a refusal out."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from model_export.errors import RepositoryError, SourceError
from model_export.keras_file.config import (
    MAX_CONFIG_BYTES,
    Layer,
    checked_layers,
    names_elsewhere,
    parse_config,
)
from model_export.keras_file.weights import inspect_weights
from model_export.repository.members import Limits, check_members, zip_members

_CONFIG: Final = "config.json"
_METADATA: Final = "metadata.json"
_WEIGHTS: Final = "model.weights.h5"
_ASSETS: Final = "assets/"
_HDF5_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_ZIP_MAGIC: Final = b"PK\x03\x04"


@dataclass(frozen=True, kw_only=True)
class KerasFileReport:
    """What a Keras file is, read without loading it."""

    format: Literal["keras", "h5"]
    keras_version: str
    model_class: str
    """`Functional` or `Sequential`."""
    layers: tuple[Layer, ...]
    """In the order of the config, inner models' layers included."""
    weight_bytes: int
    assets: tuple[str, ...]
    """Files that layers keep beside the weights, such as vocabularies."""
    foreign_training: tuple[str, ...]
    """Losses, metrics and optimizers that are not Keras' own: load the model with `compile=False`, which serving wants anyway."""


def inspect_keras_file(path: Path) -> KerasFileReport:
    """Read a `.keras` or `.h5` file as data.

    Raises SourceError when it cannot be read, when it would run code, names a class or function that Keras does not own, or has
    members, links or sizes that no model has; the message names the layer and what to do.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_HDF5_MAGIC))
        if magic == _HDF5_MAGIC:
            return _inspect_h5(path)
        if magic.startswith(_ZIP_MAGIC):
            return _inspect_archive(path)
    except OSError as error:
        raise SourceError(f"{path}: expected a Keras file, received {error}; correct the path") from error
    raise SourceError(
        f"{path.name}: expected a .keras archive or an HDF5 file, received neither; save the model with `model.save`"
    )


def _inspect_archive(path: Path) -> KerasFileReport:
    where = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            return _report_archive(archive, where, path.stat().st_size)
    except RepositoryError as error:
        raise SourceError(str(error)) from error
    # zipfile raises NotImplementedError for a compression method it lacks, and RuntimeError for an encrypted member.
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise SourceError(
            f"{where}: expected a whole .keras archive, received {error}; save the model again"
        ) from error


def _report_archive(archive: zipfile.ZipFile, where: str, archive_bytes: int) -> KerasFileReport:
    members = zip_members(archive, where=where)
    check_members(members, where=where, limits=Limits(), archive_bytes=archive_bytes)
    names = {str(member.path) for member in members if member.is_file}
    missing, unknown = {_CONFIG, _METADATA, _WEIGHTS} - names, {each for each in names if not _belongs(each)}
    if missing or unknown:
        found = f"no {min(missing)}" if missing else f"{min(unknown)!r} as well"
        raise SourceError(
            f"{where}: expected {_CONFIG}, {_METADATA}, {_WEIGHTS} and assets, received {found}; save it with Keras 3.15"
        )
    config = parse_config(_text(archive, _CONFIG, where), where=where)
    metadata = parse_config(_text(archive, _METADATA, where), where=where)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / _WEIGHTS
        with archive.open(_WEIGHTS) as source, weights.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        weight_bytes = inspect_weights(weights, where=f"{where}: {_WEIGHTS}").weight_bytes
    return KerasFileReport(
        format="keras",
        keras_version=str(metadata.get("keras_version", "unknown")),
        weight_bytes=weight_bytes,
        assets=tuple(sorted(each for each in names if each.startswith(_ASSETS))),
        **_model(config, config.get("compile_config"), where),
    )


def _inspect_h5(path: Path) -> KerasFileReport:
    where = path.name
    found = inspect_weights(path, where=where)
    if "model_config" not in found.attributes:
        raise SourceError(
            f"{where}: expected a whole model, received weights without a config; save it with `model.save`"
        )
    config = parse_config(found.attributes["model_config"].encode(), where=where)
    training = found.attributes.get("training_config")
    return KerasFileReport(
        format="h5",
        keras_version=found.attributes.get("keras_version", "unknown"),
        weight_bytes=found.weight_bytes,
        assets=(),
        **_model(config, None if training is None else parse_config(training.encode(), where=where), where),
    )


def _model(config: Mapping[str, Any], training: object, where: str) -> dict[str, Any]:
    # The training part of the outermost model is left out: serving loads with `compile=False`, and Keras then never builds it.
    layers = checked_layers(
        {key: value for key, value in config.items() if key != "compile_config"}, where=where
    )
    if not isinstance(config.get("class_name"), str):
        raise SourceError(
            f"{where}: expected the class of a model, received {config.get('class_name')!r:.80}; save the model again"
        )
    return {
        "model_class": config["class_name"],
        "layers": layers,
        "foreign_training": tuple(sorted(set(names_elsewhere(training)))),
    }


def _belongs(name: str) -> bool:
    return name in {_CONFIG, _METADATA, _WEIGHTS} or name.startswith(_ASSETS)


def _text(archive: zipfile.ZipFile, name: str, where: str) -> bytes:
    with archive.open(name) as member:
        text = member.read(MAX_CONFIG_BYTES + 1)
        if len(text) > MAX_CONFIG_BYTES:
            raise SourceError(
                f"{where}: expected {name} of at most {MAX_CONFIG_BYTES} bytes, received more; do not use it"
            )
        return text

"""What the configuration asks of the exporter, and the servable that needs no export because it was published before."""

from pathlib import Path

import pulumi

from components.config import ModelConfig
from components.errors import ConfigError, config_error
from model_export.artifact import MANIFEST_NAME, ExportRequest, Manifest, ModelArtifact


def tell(line: str) -> None:
    """Show what the exporter says: results for good, its steps, `[4/7] …`, only while they last."""
    pulumi.log.info(line, ephemeral=line.startswith("["))


def published(model: ModelConfig, key: str = "model.source") -> ModelArtifact | None:
    """Return the version folder that `key` names, or None where it names a model that is still to be exported.

    Raises ConfigError when the folder holds another model or version than the configuration says, ManifestError when it is damaged.
    """
    path = Path(model.source)
    if not (path / MANIFEST_NAME).is_file():
        return None
    manifest = Manifest.read(path)
    if manifest.name != model.name:
        remedy = "set model.name to it, or name another folder"
        raise config_error(key, f"a version folder of {model.name}", manifest.name, remedy)
    if model.version and manifest.version != model.version:
        version_key = key.replace("source", "version")
        remedy = f"set {version_key} to 0 to take the folder's version"
        raise config_error(key, f"version {model.version} of {model.name}", manifest.version, remedy)
    return ModelArtifact(path=path, manifest=manifest)


def vouched(model: ModelConfig, artifact: ModelArtifact) -> ModelArtifact:
    """Return the servable, once somebody whom the configuration trusts vouches for it; any servable where it names no keys.

    Raises ConfigError for one that is unsigned, signed by a stranger, altered, or another version than it says.
    """
    if not model.signature_keys:
        return artifact
    import trust  # with its cryptography: only stacks that ask for it have it in memory

    try:
        keys = trust.read_keys("\n".join(model.signature_keys))
        trust.verify(artifact.path, keys, name=artifact.name, version=artifact.version)
    except trust.UnreadableKey as error:
        raise ConfigError(f"model.signatureKeys: {error}") from error
    except trust.TrustError as error:
        raise ConfigError(
            f"model {model.name} is not vouched for: {error}; `python -m model_export sign --help` says how"
        ) from error
    return artifact


def export_request(model: ModelConfig) -> ExportRequest:
    """Return what `model_export.ensure` is asked for."""
    return ExportRequest(
        name=model.name,
        source=Path(model.source),
        base_path=Path(model.repository) / model.name,
        inputs=model.inputs,
        outputs=model.outputs,
        signature=model.signature,
        version=model.version or None,
        evaluate=Path(model.evaluate) if model.evaluate else None,
    )

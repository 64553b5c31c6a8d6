"""From the stack's configuration to one PlatformConfig: the only place that asks Pulumi for it.

The sections of `ServedModel` (`model`, `server`, `gpu`, …) describe the model of the stack. Where `models` names several, they are what
every one of them starts from, and each entry holds only what differs, in the same sections.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_type_hints

import pulumi

from components.config.contradictions import check_platform
from components.config.fields import did_you_mean, key_of, read_section, text_of
from components.config.image_keys import open_office
from components.config.model_sections import ServedModel
from components.config.overrides_section import OverridesConfig
from components.config.quota_section import QuotaConfig
from components.config.several import said_of
from components.config.stack_sections import ClusterConfig, ImagesConfig, PlatformConfig, PricesConfig
from components.errors import ConfigError, config_error

_MODEL_SECTIONS: Final = get_type_hints(ServedModel)
_SECTIONS: Final = ("cluster", "images", "prices", "quota", "overrides", *_MODEL_SECTIONS, "models")


def load_config() -> PlatformConfig:
    """Read and validate the configuration of the running stack. Raises ConfigError with key, value and remedy."""
    project = pulumi.get_project()
    config = pulumi.Config(project)
    given = {**pulumi.runtime.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    names = [key.partition(":")[2] for key in given if key.startswith(f"{project}:")]
    for name in names:
        if pulumi.runtime.is_config_secret(f"{project}:{name}"):
            # What is read here ends in specs and in the state, as plain text: no key is for a secret.
            raise ConfigError(
                f"{name} holds a secret value, which no key is for: it would stand in pods and in the state in plain text; put it into a "
                "Secret of the namespace (server.secretFiles names one), or set it with --plaintext where it is none"
            )
    return read_config({name: _value(config.get(name)) for name in sorted(names)})


def read_config(raw: Mapping[str, Any]) -> PlatformConfig:
    """Build the configuration from plain data, as the keys of one stack. Raises ConfigError with key, value and remedy."""
    for name in raw:
        if name not in _SECTIONS:
            raise ConfigError(f"unknown key {name}{_remedy(name)}")
    images = read_section(ImagesConfig, _object(raw, "images"), where="images")
    platform = PlatformConfig(
        cluster=read_section(ClusterConfig, _object(raw, "cluster"), where="cluster"),
        images=images,
        prices=read_section(PricesConfig, _object(raw, "prices"), where="prices"),
        quota=read_section(QuotaConfig, _object(raw, "quota"), where="quota"),
        overrides=read_section(OverridesConfig, _object(raw, "overrides"), where="overrides"),
        build_secrets=_build_secrets(images),
        office=open_office(images),
        served=_served_models(raw),
    )
    check_platform(platform)
    return platform


def _served_models(raw: Mapping[str, Any]) -> tuple[ServedModel, ...]:
    models = _object(raw, "models")
    if not models:
        return (_served_model(raw, where=""),)
    return tuple(_named_model(str(name), models, raw) for name in sorted(models))


def _named_model(name: str, models: Mapping[str, Any], stack: Mapping[str, Any]) -> ServedModel:
    where = f"models.{name}."
    own = _object(models, name, where="models.")
    for key in own:
        if key not in _MODEL_SECTIONS:
            raise ConfigError(f"unknown key {where}{key}{did_you_mean(str(key), _MODEL_SECTIONS)}")
    sections = {each: {**_object(stack, each), **_object(own, each, where=where)} for each in _MODEL_SECTIONS}
    sections["model"]["name"] = name
    with said_of(name):
        return _served_model(sections, where=where)


def _served_model(raw: Mapping[str, Any], *, where: str) -> ServedModel:
    sections = {
        name: read_section(section, _object(raw, name, where=where), where=f"{where}{name}")
        for name, section in _MODEL_SECTIONS.items()
    }
    return ServedModel(**sections)


def _object(raw: Mapping[str, Any], name: str, *, where: str = "") -> Mapping[str, Any]:
    value = raw.get(name, {})
    if not isinstance(value, Mapping):
        raise config_error(f"{where}{name}", "an object of keys", value, f"see {name} in docs/config.md")
    return value


def _build_secrets(images: ImagesConfig) -> dict[str, str]:
    paths = {"pip_config": images.pip_config, "ca_certificates": images.ca_certificates}
    return {name: text_of(Path(path), f"images.{key_of(name)}") for name, path in paths.items() if path}


def _value(text: str | None) -> Any:  # noqa: ANN401 - configuration is plain data until a section reads it
    try:
        return json.loads(text or "")
    except ValueError:
        return text


def _remedy(name: str) -> str:
    section = name.partition(".")[0]
    if "." in name and section in _SECTIONS:
        return f"; keys are paths: set it with `pulumi config set --path {name} VALUE`"
    return did_you_mean(name, _SECTIONS)

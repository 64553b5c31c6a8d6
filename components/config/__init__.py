"""Stack configuration in, one validated frozen value out.

Belongs here: the tables of keys (`stack_sections`, `model_sections` and those beside them), how one value is read and refused
(`fields`), what no single value can know of itself (`contradictions` and those beside it), and the only call of `pulumi.Config` in the
program (`load`). Does not belong here: anything that makes a resource. Imported by every component for its section, and by `__main__.py` for `load_config`.

A key is a path: `server.replicas` is `replicas` inside the object `server`, and Pulumi.yaml declares it under that path with its
type, default and description, so the Pulumi CLI merges defaults leaf by leaf and refuses wrong types before the program starts.
"""

from components.config.api_layer import api_layer_settings
from components.config.load import load_config, read_config
from components.config.model_sections import (
    ExposureConfig,
    GpuConfig,
    ModelConfig,
    ObservabilityConfig,
    ResourcesConfig,
    ServedModel,
    ServerConfig,
)
from components.config.overrides_section import OverridesConfig
from components.config.quota_section import QuotaConfig
from components.config.rollout_sections import CanaryConfig, RolloutConfig
from components.config.scaling_section import AutoscalingConfig
from components.config.stack_sections import ClusterConfig, ImagesConfig, PlatformConfig, PricesConfig
from components.config.upstream_section import UpstreamConfig

__all__ = [
    "AutoscalingConfig",
    "CanaryConfig",
    "ClusterConfig",
    "ExposureConfig",
    "GpuConfig",
    "ImagesConfig",
    "ModelConfig",
    "ObservabilityConfig",
    "OverridesConfig",
    "PlatformConfig",
    "PricesConfig",
    "QuotaConfig",
    "ResourcesConfig",
    "RolloutConfig",
    "ServedModel",
    "ServerConfig",
    "UpstreamConfig",
    "api_layer_settings",
    "load_config",
    "read_config",
]

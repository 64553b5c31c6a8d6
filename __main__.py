"""The whole deployment: configuration -> verified models -> platform -> outputs.

`pulumi preview` says what would change, `pulumi up` changes it. The one slow step, exporting a model that has no servable yet, runs
in a process of its own, so that TensorFlow is never loaded here.
"""

import pulumi

from components.config import ModelConfig, load_config
from components.contracts import agreed_contracts
from components.platform import ServingPlatform, ServingPlatformArgs, cluster_provider
from components.rollout_gate import judged, tell_distances
from components.servable import export_request, published, tell, vouched
from model_export.artifact import ModelArtifact
from model_export.ensure import ensure
from model_export.errors import ExportError


def servable(model: ModelConfig, key: str = "model.source") -> ModelArtifact:
    """Return the verified servable of a model, exporting it where there is none yet."""
    try:
        return vouched(model, published(model, key) or ensure(export_request(model), report=tell))
    except ExportError as error:
        raise pulumi.RunError(f"model {model.name}: {error}") from error


config = load_config()
models = {each.model.name: servable(each.model) for each in config.served}
canaries = {each.name: servable(each, "canary.source") for each in config.candidates}
running = judged(config, models, canaries)
tell_distances(config, running)
contracts = agreed_contracts(config, running)
platform = ServingPlatform(
    "serving",
    ServingPlatformArgs(config=config, artifacts=models, candidates=canaries, contracts=contracts),
    pulumi.ResourceOptions(providers=[cluster_provider(config.cluster)]),
)
for name, value in platform.facts().items():
    pulumi.export(name, value)

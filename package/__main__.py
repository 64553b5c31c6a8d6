"""The provider that Pulumi starts for a program in another language."""

import sys
from pathlib import Path

from pulumi.provider.experimental import component_provider_host

# Pulumi runs this folder; the package and `components` are found beside it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from package.model_service import ModelService
from package.refusals import show_refusals
from package.serving_namespace import ServingNamespace
from package.training import ModelRepository, TrainingRun

if __name__ == "__main__":
    show_refusals()
    component_provider_host(
        name="tf-serving",
        version="0.1.0",
        components=[ServingNamespace, ModelService, ModelRepository, TrainingRun],
    )

"""A training stack of its own: what `examples/mnist/train.py` does by hand, as a Job whose version serving stacks can fetch."""

import json
import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from components.config.training_sections import read_training
from components.training_platform import TrainingPlatform, TrainingPlatformArgs

SECTIONS = ("namespace", "repository", "training", "resources", "gpu")

config = pulumi.Config()
given = {name: config.get(name) for name in SECTIONS}
settings = {name: text if name == "namespace" else json.loads(text) for name, text in given.items() if text}
platform = TrainingPlatform("training", TrainingPlatformArgs(config=read_training(settings)))

pulumi.export("repository", platform.repository)
pulumi.export("job", platform.job_name)
pulumi.export("published_to", platform.published_to)

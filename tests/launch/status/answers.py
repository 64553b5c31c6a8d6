"""Recorded answers of Pulumi and kubectl, in the form that these print, for `read_report` to read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from launch.status.sources import Answer

RECORDED = Path(__file__).parent / "recorded"
CLUSTER = {"running": True, "components": {"kubelet": {"alive": True}}, "context": "tf-serving-platform"}
MODEL = {
    "model": "mnist",
    "model_version": 1000,
    "model_digest": "sha256:aaaa",
    "image": "127.0.0.1:5000/tf-serving-platform/models/mnist:1000@sha256:cccc",
    "accuracy": 0.912,
    "rest_url": "http://127.0.0.1:30851",
    "grpc_target": "127.0.0.1:30850",
    "service": "mnist",
}
OUTPUTS = {"namespace": "tf-serving-local", "models": {"mnist": MODEL}}


class Recorded:
    """Answers by the program that is asked, and what was asked."""

    def __init__(
        self,
        world: str = "healthy",
        *,
        cluster: Any = CLUSTER,
        outputs: Answer | None = None,
        kubectl: Answer | None = None,
    ) -> None:
        listed = (RECORDED / f"{world}.json").read_text()
        self._cluster = Answer(code=0, output=json.dumps(cluster))
        self._outputs = outputs or Answer(code=0, output=json.dumps(OUTPUTS))
        self._kubectl = kubectl or Answer(code=0, output=listed)
        self.asked: list[str] = []

    def __call__(self, words: Sequence[str]) -> Answer:
        line = " ".join(words)
        self.asked.append(line)
        if "kubectl" in words:
            return self._kubectl
        if "config" in words:
            return Answer(code=0, output="tf-serving-local\n")
        return self._cluster if line.startswith("bin/cluster") else self._outputs

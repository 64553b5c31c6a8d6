"""What the page shows: models, versions, states and reasons, signatures, and the numbers of the live panel.

One JSON document, read afresh each time somebody looks; nothing is counted for it on the way of a request.
"""

import re
from collections.abc import Mapping
from typing import Any

from serving.console.figures import batch_sizes, request_totals
from serving.metrics import Metrics
from serving.monitoring import Readiness
from serving.pipeline import Pipeline
from serving.repository import Repository, Servable, State, VersionStatus
from serving.settings import ServingSettings
from serving.tensors.signatures import DEFAULT_SIGNATURE, Signature, TensorSpec

_DECODERS = re.compile(r"Decode(AndCrop)?(Jpeg|Png|Gif|Bmp|Image|WebP)")
"""TensorFlow's operations that read encoded pictures (tensorflow/core/ops/image_ops.cc)."""


class StateReader:
    """Reads the state of one server."""

    def __init__(
        self,
        settings: ServingSettings,
        repository: Repository,
        pipeline: Pipeline,
        metrics: Metrics,
        readiness: Readiness[Repository],
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._pipeline = pipeline
        self._metrics = metrics
        self._readiness = readiness

    def read(self) -> dict[str, Any]:
        """The document, of JSON values."""
        requests, batches = request_totals(self._metrics), batch_sizes(self._metrics)
        return {
            "obstacles": self._readiness.obstacles(),
            "window": {"start": self._settings.accuracy_start, "stop": self._settings.accuracy_stop},
            "models": [
                {
                    "name": name,
                    "versions": [
                        self._version(name, status) for status in self._repository.all_statuses(name)
                    ],
                    "requests": requests.get(name, {}),
                    "batches": batches.get(name, {}),
                }
                for name in self._repository.names
            ],
        }

    def _version(self, name: str, status: VersionStatus) -> dict[str, Any]:
        told = {"version": str(status.version), "state": status.state.name, "error": status.error}
        if status.state is not State.AVAILABLE:
            return told
        servable = self._repository.resolve(name, status.version)
        return told | _servable(servable) | self._pipeline.report(servable)


def _servable(servable: Servable) -> dict[str, Any]:
    takes_pictures = _decodes_pictures(servable)
    return {
        "identity": servable.manifest.identity,
        "accuracy": servable.manifest.accuracy,
        "signatures": [
            _signature(signature, takes_pictures=takes_pictures)
            for signature in servable.session.signatures.values()
        ],
    }


def _signature(signature: Signature, *, takes_pictures: bool) -> dict[str, Any]:
    return {
        "name": signature.name,
        "is_default": signature.name == DEFAULT_SIGNATURE,
        "method": signature.method,
        "inputs": _tensors(signature.inputs, takes_pictures=takes_pictures),
        "outputs": _tensors(signature.outputs, takes_pictures=False),
    }


def _tensors(specs: Mapping[str, TensorSpec], *, takes_pictures: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": spec.alias,
            "dtype": spec.dtype.name,
            "shape": None if spec.shape is None else list(spec.shape),
            "kind": "picture" if takes_pictures and spec.dtype.is_string else _kind(spec),
        }
        for spec in specs.values()
    ]


def _kind(spec: TensorSpec) -> str:
    """What a person would enter: `text`, `boolean`, `number`, or nothing that has a form."""
    if spec.dtype.is_string:
        return "text"
    if spec.dtype.name == "bool":
        return "boolean"
    if spec.dtype.is_float:
        return "fraction"
    return "integer" if spec.dtype.storage.kind in "iu" else "other"


def _decodes_pictures(servable: Servable) -> bool:
    operations = servable.session.meta_graph.meta_info_def.stripped_op_list.op
    return any(_DECODERS.match(operation.name) for operation in operations)

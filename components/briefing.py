"""What a preview says of one model, in sentences: its size and cost, when it answers first, how a new version takes over, what may not work."""

from collections.abc import Iterator

from components import rollout
from components.compatibility import warnings
from components.config import ClusterConfig, PricesConfig, ServedModel
from components.forecast import forecast, start_sentence
from components.takeover import takeover
from model_export.artifact import ModelArtifact


def announcements(
    served: ServedModel,
    artifact: ModelArtifact,
    candidate: ModelArtifact | None,
    *,
    prices: PricesConfig,
    cluster: ClusterConfig,
) -> Iterator[str]:
    """Yield what an operator should know before an update."""
    yield forecast(served, prices).sentence()
    yield start_sentence(served, cluster, model_bytes=artifact.manifest.size_bytes)
    if served.gpu.count:
        yield takeover(served).reason
    if served.gpu.count and _scales_by_cpu_alone(served):
        yield (
            "pods are added by CPU use, but the GPU does the work; set autoscaling.inFlightRequests or "
            "autoscaling.queueWaitMilliseconds"
        )
    if candidate:
        yield rollout.sentence(served, artifact, candidate)


def doubts(served: ServedModel, artifact: ModelArtifact, candidate: ModelArtifact | None) -> Iterator[str]:
    """Yield what may turn out not to work."""
    for each in (artifact, candidate):
        if each:
            yield from warnings(served, each)


def _scales_by_cpu_alone(served: ServedModel) -> bool:
    scaled = served.autoscaling
    return scaled.enabled and not (scaled.in_flight_requests or scaled.queue_wait_milliseconds)

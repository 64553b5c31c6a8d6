"""Tracks: which Deployments one model has, which version each runs, and what share of the requests it answers.

    canary.phase   stable runs             canary runs
    trial          model.source            canary.source, on its share of the requests
    promoted       canary.source           nothing
    aborted        model.source            nothing

Every step is one key, and both images stay declared in all three phases: a step, and a step back, builds nothing. The stable Deployment
keeps its name and selector throughout, so that it only ever rolls. A Gateway splits requests by weight. Without one the Service spreads
them over the pods of both tracks, and the share is the canary's share of the pods.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from components import naming, plan
from components.config import AutoscalingConfig, ServedModel, ServerConfig
from components.errors import ConfigError, config_error
from model_export.artifact import ModelArtifact

_MOST_TIMES_THE_SHARE = 2
"""Pods are whole. Up to twice the share that was asked for is told; a canary that takes more than that is refused."""


@dataclass(frozen=True, kw_only=True)
class Track:
    """One Deployment of a model."""

    name: str
    """`stable` or `canary`."""
    instance: str
    """DNS label of its objects."""
    artifact: ModelArtifact
    """Version that it runs."""
    runs: str
    """The track that this version was made for: the other one's, once a canary is promoted."""
    replicas: tuple[int, int]
    """Fewest and most pods."""
    autoscaling: AutoscalingConfig
    """Bounds of its own; off where the number of pods is what gives it its share."""
    server: ServerConfig
    """Service type and node ports: only the stable track is reached from outside by itself."""
    service_selector: Mapping[str, str]
    """Pods that its Service leads to."""


def is_on_trial(served: ServedModel) -> bool:
    """Return whether the model has a canary that takes part."""
    return bool(served.canary.source) and served.canary.phase == "trial"


def running_name(served: ServedModel) -> str:
    """Return the track whose version the stable pods run: the canary's, once it is promoted."""
    return naming.CANARY if served.canary.source and served.canary.phase == "promoted" else naming.STABLE


def running(served: ServedModel, artifact: ModelArtifact, candidate: ModelArtifact | None) -> ModelArtifact:
    """Return the version that the stable pods run."""
    return candidate if candidate and running_name(served) == naming.CANARY else artifact


def tracks(
    served: ServedModel, artifact: ModelArtifact, candidate: ModelArtifact | None = None
) -> tuple[Track, ...]:
    """Return the tracks of a model, the stable one first."""
    instance = naming.dns_label(served.model.name)
    stable = Track(
        name=naming.STABLE,
        instance=instance,
        artifact=running(served, artifact, candidate),
        runs=running_name(served),
        replicas=plan.replica_bounds(served),
        autoscaling=served.autoscaling,
        server=served.server,
        service_selector=_stable_selector(served, instance),
    )
    if candidate is None or not is_on_trial(served):
        return (stable,)
    return stable, _canary(served, candidate, instance)


def check_canary(served: ServedModel, artifact: ModelArtifact, candidate: ModelArtifact) -> None:
    """Raise ConfigError where a canary is no other version, would answer far more than its share, or has no GPUs."""
    if artifact.version == candidate.version:
        remedy = "set canary.version to a higher number"
        raise config_error(
            "canary.version", f"another version than {artifact.version}", candidate.version, remedy
        )
    if is_on_trial(served):
        _check_share(served)
        _check_gpus(served)


def _check_share(served: ServedModel) -> None:
    weight, (stable, _) = served.canary.weight_percent, plan.replica_bounds(served)
    if served.exposure.gateway or not weight:
        return
    share = _pod_share(served)
    if share > _MOST_TIMES_THE_SHARE * weight:
        needed = -(-100 // (_MOST_TIMES_THE_SHARE * weight)) - 1
        key = "autoscaling.minReplicas" if served.autoscaling.enabled else "server.replicas"
        raise ConfigError(
            f"canary.weightPercent is {weight}, but beside {stable} stable pods one canary pod answers {share:.0f} % of the requests; "
            f"set {key} to {needed} or more, or let a Gateway split them by weight (exposure.gateway)"
        )


def _check_gpus(served: ServedModel) -> None:
    gpu, (_, stable), (_, canary) = served.gpu, plan.replica_bounds(served), plan.canary_bounds(served)
    needed = (stable + canary) * gpu.count
    if gpu.available and needed > gpu.available:
        raise ConfigError(
            f"gpu.available is {gpu.available}, but {stable} stable and {canary} canary pods of {gpu.count} need {needed} GPUs; "
            "lower autoscaling.maxReplicas for the trial, or raise gpu.available when there are more"
        )


def sentence(served: ServedModel, artifact: ModelArtifact, candidate: ModelArtifact | None) -> str:
    """Say what the phase means for clients; nothing where there is no canary."""
    if candidate is None:
        return ""
    newer, older = f"canary {candidate.version}", f"stable {artifact.version}"
    match served.canary.phase:
        case "promoted":
            return f"{newer} is promoted: the stable pods run it; set canary.phase to aborted to go back to {artifact.version}"
        case "aborted":
            return f"{newer} is aborted: nothing runs it, and {older} answers every request"
    share = _share_in_words(served)
    shadow = served.canary.shadow_percent
    mirrored = f", and is sent a copy of {shadow} %" if shadow else ""
    return f"{newer} is on trial beside {older}: it answers {share}{mirrored}; set canary.phase to promoted or aborted to end it"


def _canary(served: ServedModel, candidate: ModelArtifact, instance: str) -> Track:
    name = naming.canary(instance)
    fewest, most = plan.canary_bounds(served)
    return Track(
        name=naming.CANARY,
        instance=name,
        artifact=candidate,
        runs=naming.CANARY,
        replicas=(fewest, most),
        autoscaling=replace(
            served.autoscaling,
            enabled=served.autoscaling.enabled and fewest < most,
            min_replicas=fewest,
            max_replicas=most,
        ),
        server=replace(served.server, service_type="ClusterIP", rest_node_port=0, grpc_node_port=0),
        service_selector=naming.selector(name),
    )


def _stable_selector(served: ServedModel, instance: str) -> dict[str, str]:
    shares_by_pods = is_on_trial(served) and served.canary.weight_percent and not served.exposure.gateway
    return naming.model_selector(instance) if shares_by_pods else naming.selector(instance)


def _pod_share(served: ServedModel) -> float:
    (stable, _), (canary, _) = plan.replica_bounds(served), plan.canary_bounds(served)
    return 100 * canary / (stable + canary)


def _share_in_words(served: ServedModel) -> str:
    weight = served.canary.weight_percent
    if not weight:
        return "no request of its own"
    if served.exposure.gateway:
        return f"{weight} % of the requests that come through {served.exposure.gateway}"
    (stable, _), (canary, _) = plan.replica_bounds(served), plan.canary_bounds(served)
    return f"{_pod_share(served):.0f} % of the requests as {canary} of {stable + canary} pods ({weight} % were asked for)"

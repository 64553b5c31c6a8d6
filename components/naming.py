"""Names and labels: the only source of both, and pure functions of a model's name.

Two rules carry the rest. A selector never changes while a Deployment lives, because changing it replaces the Deployment; so it holds
name and instance only, and everything that moves (version, digest) is a label or annotation of the pod template. And a physical name
follows from the model's name alone, so a new version, image or setting is an update in place.
"""

import hashlib
import re
from typing import Final

APPLICATION: Final = "tf-serving"
TRAINING: Final = "tf-training"
MANAGED_BY: Final = "pulumi"
DIGEST_ANNOTATION: Final = "tf-serving-platform/model-digest"
STACK_ANNOTATION: Final = "tf-serving-platform/stack"
"""The stack that a namespace was made for; see `components.ownership`."""
MODEL_LABEL: Final = "tf-serving-platform/model"
"""The model of a pod, whichever track it is on: what a Service that shares requests between tracks selects."""
TRACK_LABEL: Final = "tf-serving-platform/track"
DENY_ALL: Final = "deny-all"
"""The policy that closes a namespace."""
STABLE: Final = "stable"
CANARY: Final = "canary"
_LONGEST_LABEL: Final = 63
_LONGEST_SUFFIX: Final = 10
"""Room for what is appended to a model's label: the track, or what Kubernetes appends in the names of ReplicaSets."""


def dns_label(name: str) -> str:
    """Return a DNS label (RFC 1123) for `name`: itself where it is one, else a readable form with a digest that keeps it unique.

    `ResNet_50` and `resnet-50` are two models, and their labels differ.
    """
    longest = _LONGEST_LABEL - _LONGEST_SUFFIX - 1
    if re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name) and len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[: longest - len(digest) - 3]
    return (
        f"m-{readable.strip('-')}-{digest}"
        if not readable[:1].isalpha()
        else f"{readable.rstrip('-')}-{digest}"
    )


def canary(instance: str) -> str:
    """Return the instance of a model's canary track, beside its stable one."""
    return instance + suffix(CANARY)


def console(instance: str) -> str:
    """Return the name of what leads to a model's console."""
    return f"{instance}-console"


def outward(instance: str) -> str:
    """Return the name of the policy that lets a model's pods out to where versions are kept."""
    return f"{instance}-outward"


def repository(model: str) -> str:
    """Return the last part of the name that a model's images have in a registry: its own in lower case, where that is one.

    Open Container Initiative, Distribution Specification 1.1, "Pulling manifests": separators stand alone, and between letters or digits.
    """
    name = model.lower()
    return name if re.fullmatch(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*", name) else dns_label(model)


def suffix(track: str) -> str:
    """Return what a track's resources are called after the model's own: nothing for the stable one, whose names came first."""
    return "" if track == STABLE else f"-{track}"


def selector(instance: str) -> dict[str, str]:
    """Return the labels that select the pods of `instance`, for as long as its Deployment lives."""
    return {"app.kubernetes.io/name": APPLICATION, "app.kubernetes.io/instance": instance}


def labels(instance: str) -> dict[str, str]:
    """Return the labels of every object of `instance`."""
    return {
        **selector(instance),
        "app.kubernetes.io/managed-by": MANAGED_BY,
        "app.kubernetes.io/component": "model-server",
    }


def shared_labels() -> dict[str, str]:
    """Return the labels of objects that all models of a stack share."""
    return {"app.kubernetes.io/part-of": APPLICATION, "app.kubernetes.io/managed-by": MANAGED_BY}


def restricted_profile(version: str) -> dict[str, str]:
    """Return the labels of a namespace that enforces the restricted Pod Security profile of a Kubernetes minor version.

    The version is pinned, so that an upgrade of the cluster changes no rule; `warn` shows at once what a Deployment's pods would break.
    """
    return {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (("", "restricted"), ("-version", version))
    }


def model_selector(model: str) -> dict[str, str]:
    """Return the labels that select the pods of all tracks of a model."""
    return {"app.kubernetes.io/name": APPLICATION, MODEL_LABEL: model}


def pod_labels(instance: str, *, version: int, model: str, track: str) -> dict[str, str]:
    """Return the labels of the pods of `instance`: also the version that they serve, of which model, and on which track."""
    return {
        **labels(instance),
        "app.kubernetes.io/version": str(version),
        MODEL_LABEL: model,
        TRACK_LABEL: track,
    }


def training_selector(instance: str) -> dict[str, str]:
    """Return the labels that select the pods of a training run; no Service, budget or Deployment of a served model does."""
    return {"app.kubernetes.io/name": TRAINING, "app.kubernetes.io/instance": instance}


def training_labels(instance: str) -> dict[str, str]:
    """Return the labels of every object of a training run."""
    return {
        **training_selector(instance),
        "app.kubernetes.io/managed-by": MANAGED_BY,
        "app.kubernetes.io/component": "training",
    }


def serving_pods() -> dict[str, str]:
    """Return the labels that select every pod that serves, of whatever model."""
    return {"app.kubernetes.io/name": APPLICATION, "app.kubernetes.io/component": "model-server"}

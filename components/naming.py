"""Names and labels: the only source of both, and pure functions of a model's name.

Two rules carry the rest. A selector never changes while a Deployment lives, because changing it replaces the Deployment; so it holds
name and instance only, and everything that moves (version, digest) is a label or annotation of the pod template. And a physical name
follows from the model's name alone, so a new version, image or setting is an update in place.
"""

import hashlib
import re
from typing import Final

APPLICATION: Final = "tf-serving"
MANAGED_BY: Final = "pulumi"
DIGEST_ANNOTATION: Final = "tf-serving-platform/model-digest"
_LONGEST_LABEL: Final = 63
_LONGEST_SUFFIX: Final = 10
"""Room for what Kubernetes appends to a Deployment's name in the names of its ReplicaSets."""


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


def pod_labels(instance: str, *, version: int) -> dict[str, str]:
    """Return the labels of the pods of `instance`, which say the version that they serve."""
    return {**labels(instance), "app.kubernetes.io/version": str(version)}

"""A stack that keeps every rule, as plain data, and copies of it that differ in one place."""

import copy
from typing import Any

from policy.rule import Resource

IMAGE = "registry.example.com/team/mnist@sha256:" + "a" * 64
LABELS = {"app.kubernetes.io/instance": "mnist"}
REMOVED = object()


def container() -> dict[str, Any]:
    probe = {"httpGet": {"path": "/readyz", "port": "monitoring"}}
    return {
        "name": "server",
        "image": IMAGE,
        "env": [{"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "compute,utility"}],
        "ports": [{"containerPort": 8501}],
        "resources": {
            "requests": {"cpu": "2", "memory": "8Gi", "ephemeral-storage": "1Gi", "nvidia.com/gpu": "1"},
            "limits": {"memory": "8Gi", "ephemeral-storage": "1Gi", "nvidia.com/gpu": "1"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "startupProbe": probe,
        "readinessProbe": probe,
        "livenessProbe": {"httpGet": {"path": "/livez", "port": "monitoring"}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    }


def pod() -> dict[str, Any]:
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 43,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "containers": [container()],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def stack() -> dict[str, Resource]:
    """Return one resource of each kind that a rule asks about, by its name."""
    selector = {"matchLabels": LABELS}
    template = {"metadata": {"labels": LABELS}, "spec": pod()}
    restricted = {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "v1.34",
    }
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "mnist"}
    budget = {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": selector}
    return {
        "provider": _resource("provider", "pulumi:providers:kubernetes", {"context": "prod"}),
        "namespace": _resource(
            "namespace",
            "kubernetes:core/v1:Namespace",
            {"metadata": {"name": "tf-serving", "labels": restricted}},
        ),
        "deployment": _object(
            "deployment", "apps/v1:Deployment", {"spec": {"selector": selector, "template": template}}
        ),
        "service": _object("service", "core/v1:Service", {"spec": {"type": "ClusterIP"}}),
        "scaler": _object(
            "scaler", "autoscaling/v2:HorizontalPodAutoscaler", {"spec": {"scaleTargetRef": scaled}}
        ),
        "budget": _object("budget", "policy/v1:PodDisruptionBudget", {"spec": budget}),
        "deny": _object(
            "deny",
            "networking.k8s.io/v1:NetworkPolicy",
            {"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
        ),
        "role": _object(
            "role",
            "rbac.authorization.k8s.io/v1:Role",
            {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        ),
        "image": _resource(
            "image",
            "docker-build:index:Image",
            {"buildArgs": {"BASE_IMAGE": IMAGE, "BUILDER_IMAGE": "builder", "REQUIREMENTS": "a/b:c"}},
        ),
        "claim": _object("claim", "core/v1:PersistentVolumeClaim", {"spec": {}}, is_protected=True),
    }


def changed(resource: Resource, path: str, value: object) -> Resource:
    """Return a copy with `value` at a dotted path (a number is an index); REMOVED takes what is there away."""
    props = copy.deepcopy(dict(resource.props))
    *way, last = [int(step) if step.isdigit() else step for step in path.split("|")]
    place: Any = props
    for step in way:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    if value is REMOVED:
        del place[last]
    elif last == "+":
        place.append(value)
    else:
        place[last] = value
    return _copy(resource, props=props)


def with_options(resource: Resource, **options: Any) -> Resource:
    """Return a copy with other resource options."""
    return _copy(resource, **options)


def _copy(resource: Resource, **changes: Any) -> Resource:
    fields = ("type", "name", "props", "urn", "is_protected", "ignored_changes")
    return Resource(**{**{name: getattr(resource, name) for name in fields}, **changes})


def _object(name: str, kind: str, props: dict[str, Any], *, is_protected: bool = False) -> Resource:
    metadata = {"name": "mnist", "namespace": "tf-serving"}
    return _resource(name, f"kubernetes:{kind}", {"metadata": metadata, **props}, is_protected=is_protected)


def _resource(name: str, kind: str, props: dict[str, Any], *, is_protected: bool = False) -> Resource:
    urn = f"urn:pulumi:prod::project::{kind}::{name}"
    return Resource(type=kind, name=name, props=props, urn=urn, is_protected=is_protected)

"""What is asked of objects that are no pods: namespaces, Services, budgets, rights, stored data, and the provider itself."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policy.rule import UNKNOWN, Resource, Rule, at, is_known, items

LOCAL_STACKS: Final = frozenset({"local"})
"""Stacks on a machine of one's own, whose Services may be reached by node ports."""

_SHARED: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_CLUSTER_WIDE: Final = frozenset(
    {"Namespace", "ClusterRole", "ClusterRoleBinding", "PersistentVolume", "PriorityClass", "StorageClass"}
)
_HIDING_ERRORS: Final = (
    "deleteUnreachable",
    "skipUpdateUnreachable",
    "enablePatchForce",
    "upsertExistingObjects",
)
_STORED: Final = re.compile(r"PersistentVolumeClaim|Bucket(V2)?")


def _namespace(resource: Resource) -> Iterator[str]:
    if resource.kind != "Namespace":
        return
    labels = at(resource.props, "metadata", "labels")
    if at(labels, "pod-security.kubernetes.io/enforce") not in {"restricted", UNKNOWN}:
        yield f"{resource.label}: it enforces no restricted profile; label it pod-security.kubernetes.io/enforce: restricted"
        return
    version = at(labels, "pod-security.kubernetes.io/enforce-version")
    if is_known(version) and not re.fullmatch(r"v1\.\d+", str(version)):
        yield (
            f"{resource.label}: its profile's version is {version!r}; pin pod-security.kubernetes.io/enforce-version to v1.NN, "
            "so that an upgrade of the cluster changes no rule"
        )


def _shared_namespace(resource: Resource) -> Iterator[str]:
    if not _is_object(resource) or resource.kind in _CLUSTER_WIDE:
        return
    namespace = at(resource.props, "metadata", "namespace")
    if namespace is None or namespace in _SHARED:
        yield f"{resource.label}: it lives in {namespace or 'no named namespace'}; give it a namespace of the stack's own"


def _reached_from_outside(resource: Resource) -> Iterator[str]:
    if resource.kind != "Service" or resource.stack in LOCAL_STACKS:
        return
    kind = at(resource.props, "spec", "type")
    if kind in {"LoadBalancer", "NodePort"}:
        yield (
            f"{resource.label}: type {kind} opens it to everyone who reaches a node; use ClusterIP and a Gateway or an Ingress "
            f"(allowed in: {', '.join(sorted(LOCAL_STACKS))})"
        )


def _budget(resource: Resource) -> Iterator[str]:
    if resource.kind != "PodDisruptionBudget":
        return
    spec = at(resource.props, "spec")
    most = at(spec, "maxUnavailable")
    if at(spec, "minAvailable") is not None:
        yield f"{resource.label}: minAvailable blocks every drain once that many pods are left; use maxUnavailable: 1"
    elif is_known(most) and str(most).rstrip("%") in {"0", "0.0", "None"}:
        yield f"{resource.label}: maxUnavailable is {most!r}, so no node could ever be drained; set it to 1"
    if at(spec, "unhealthyPodEvictionPolicy") not in {"AlwaysAllow", UNKNOWN}:
        yield f"{resource.label}: a pod that never became ready keeps its node; set unhealthyPodEvictionPolicy: AlwaysAllow"


def _rights(resource: Resource) -> Iterator[str]:
    if resource.kind == "ClusterRoleBinding":
        yield f"{resource.label}: it gives rights in the whole cluster; use a RoleBinding in the stack's namespace"
    if resource.kind not in {"Role", "ClusterRole"}:
        return
    for rule in items(at(resource.props, "rules")):
        for field in ("apiGroups", "resources", "verbs"):
            if "*" in items(at(rule, field)):
                yield f"{resource.label}: {field} holds `*`; name what is needed"


def _stored(resource: Resource) -> Iterator[str]:
    if not _STORED.fullmatch(resource.kind) or resource.type.startswith("tfserving:"):
        return
    # Whether it is retained on deletion, the engine does not tell a policy; a protected resource cannot be deleted at all.
    if not resource.is_protected:
        yield f"{resource.label}: it holds data and may be deleted; set protect=True in its options"


def _provider(resource: Resource) -> Iterator[str]:
    if resource.type != "pulumi:providers:kubernetes":
        return
    for option in _HIDING_ERRORS:
        if at(resource.props, option) in {True, "true"}:
            yield f"Provider {resource.name}: {option} is set; unset it, it hides that a cluster is gone or an object another's"


def _is_object(resource: Resource) -> bool:
    return resource.type.startswith("kubernetes:") and isinstance(at(resource.props, "metadata"), Mapping)


RULES: Final = (
    Rule(
        name="namespace-restricted",
        description="Namespaces enforce a pinned restricted profile.",
        check=_namespace,
    ),
    Rule(name="own-namespace", description="Nothing lives in a shared namespace.", check=_shared_namespace),
    Rule(
        name="services-inside",
        description="Services are reached inside the cluster; routes lead in from outside.",
        check=_reached_from_outside,
    ),
    Rule(name="budgets-let-nodes-drain", description="No disruption budget blocks a drain.", check=_budget),
    Rule(name="rights-by-name", description="Roles name what they allow, in one namespace.", check=_rights),
    Rule(
        name="data-protected",
        description="Stored models outlive a stack: what holds them is protected.",
        check=_stored,
    ),
    Rule(
        name="errors-not-hidden",
        description="The provider hides no unreachable or foreign objects.",
        check=_provider,
    ),
)

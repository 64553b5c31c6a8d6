"""Who reaches what: NetworkPolicy as a function, so that a test can ask for every pair of pod and port.

Source: Kubernetes documentation, "Network Policies": pods that no policy selects are open; pods that one selects are closed but for what
the union of their policies allows; a rule with no or an empty `from` or `to` allows every peer, one with no or empty `ports` every port.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Policy = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A pod, or with no namespace an address outside the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def reaches(source: Place, target: Place, port: int, policies: Sequence[Policy]) -> bool:
    """Return whether `source` may open a TCP connection to `port` of `target`."""
    leaves = _is_allowed(source, target, port, policies, direction="Egress")
    return leaves and _is_allowed(target, source, port, policies, direction="Ingress")


def _is_allowed(owner: Place, peer: Place, port: int, policies: Sequence[Policy], *, direction: str) -> bool:
    selecting = [
        each for each in policies if _selects(each, owner) and direction in each["spec"]["policyTypes"]
    ]
    side, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    rules = [rule for policy in selecting for rule in policy["spec"].get(side, [])]
    return not selecting or any(_fits(rule, peer, port, peers, owner) for rule in rules)


def _selects(policy: Policy, place: Place) -> bool:
    same_namespace = policy["metadata"]["namespace"] == place.namespace
    return same_namespace and _matches(policy["spec"]["podSelector"], place.labels)


def _fits(rule: Mapping[str, Any], peer: Place, port: int, peers: str, owner: Place) -> bool:
    is_open_port = not rule.get("ports") or any(each["port"] == port for each in rule["ports"])
    return is_open_port and (not rule.get(peers) or any(_is_peer(each, peer, owner) for each in rule[peers]))


def _is_peer(selector: Mapping[str, Any], peer: Place, owner: Place) -> bool:
    if not peer.namespace:
        return "ipBlock" in selector
    if "namespaceSelector" in selector:
        in_namespace = _matches(
            selector["namespaceSelector"], {"kubernetes.io/metadata.name": peer.namespace}
        )
    else:
        in_namespace = peer.namespace == owner.namespace
    return in_namespace and _matches(selector.get("podSelector", {}), peer.labels)


def _matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items()

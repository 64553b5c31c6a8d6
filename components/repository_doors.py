"""The way out to a model repository: names, and the object store. In a namespace that is closed, nothing else goes out.

A network policy knows pods, not their containers: what an init container may reach, the pod may reach for all its life.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)

from components.model_repository import RepositoryAccess

_DNS_PORT: Final = 53
_HTTPS_PORT: Final = 443


def repository_doors(
    name: str,
    metadata: ObjectMetaArgs,
    pods: Mapping[str, str],
    repository: RepositoryAccess,
    opts: pulumi.ResourceOptions,
) -> NetworkPolicy:
    """Declare the policy that lets the pods with these labels reach names, data over https, and the repository's server."""
    dns = [NetworkPolicyPortArgs(port=_DNS_PORT, protocol=protocol) for protocol in ("UDP", "TCP")]
    stores = [NetworkPolicyPortArgs(port=port, protocol="TCP") for port in _store_ports(repository)]
    return NetworkPolicy(
        f"{name}-outward",
        metadata=metadata,
        spec=NetworkPolicySpecArgs(
            pod_selector=LabelSelectorArgs(match_labels=dict(pods)),
            policy_types=["Egress"],
            # Any address: an object store has thousands, and names are no part of a network policy.
            egress=[NetworkPolicyEgressRuleArgs(ports=dns), NetworkPolicyEgressRuleArgs(ports=stores)],
        ),
        opts=opts,
    )


def _store_ports(repository: RepositoryAccess) -> list[int]:
    endpoint = urlsplit(repository.variables.get("AWS_ENDPOINT_URL", ""))
    own = endpoint.port or {"http": 80}.get(endpoint.scheme, _HTTPS_PORT)
    return sorted({own, _HTTPS_PORT})

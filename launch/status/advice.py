"""What to do about a reason that the cluster gives: one table, first match wins.

The words on the left are Kubernetes' own reasons and messages (kubelet, scheduler and controller events); the rows follow
`docs/operations.md`.
"""

from __future__ import annotations

import re
from typing import Final

_ADVICE: Final = (
    (
        r"Insufficient nvidia\.com/gpu",
        "lower gpu.count or the replicas, or free a GPU; then `bin/pulumi up`",
    ),
    (
        r"Insufficient (cpu|memory)",
        "lower resources.cpuMillicores or resources.memoryMib, or add a node; then `bin/pulumi up`",
    ),
    (
        r"NodeNotReady|node\.kubernetes\.io/(unreachable|not-ready)",
        "a node fell silent: its pods start on another half a minute after; see `kubectl get nodes`, and mend or delete it",
    ),
    (r"untolerated taint|node affinity|node selector", "check gpu.product and the taints of the nodes"),
    (
        r"ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName",
        "check that the registry answers and holds the digest (`bin/cluster status` where it is ours), then `bin/up`",
    ),
    (r"OOMKilled", "raise resources.memoryMib; then `bin/pulumi up`"),
    (r"CrashLoopBackOff|Error\b", "read the end of its log: kubectl logs --previous POD"),
    (r"exceeded quota", "raise the namespace's quota, or lower resources or replicas"),
    (
        r"violates PodSecurity",
        "the namespace's policy refuses the pod; keep the components' security context",
    ),
    (
        r"FailedGetResourceMetric|FailedGetContainerResourceMetric|FailedComputeMetrics",
        "the metrics API gave no figure: give a new pod a minute, else look at metrics-server; nothing is scaled down meanwhile",
    ),
    (r"TooManyReplicas|maximum replica count", "all pods allowed are in use: raise autoscaling.maxReplicas"),
    (
        r"Unhealthy|probe failed|containers with unready status",
        "ask its /readyz and its log for the reason: kubectl logs POD",
    ),
    (
        r"Evicted|DiskPressure|MemoryPressure",
        "the node is short of room: free some, the pod is replaced by itself",
    ),
    (r"ContainerCreating|PodInitializing|Pulling", "wait: it is being started"),
)
_OTHERWISE: Final = "see `kubectl describe` of it, and docs/operations.md"


def advice(reason: str) -> str:
    """Return the next step for a reason in the cluster's words."""
    return next((todo for pattern, todo in _ADVICE if re.search(pattern, reason)), _OTHERWISE)

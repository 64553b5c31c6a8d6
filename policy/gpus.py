"""What is asked of pods on GPUs, and of pods that should see none.

Sources: Kubernetes' "Schedule GPUs" (a GPU is limited, whole, and never shared by asking for less) and the README of NVIDIA's device
plugin (a container whose image sets NVIDIA_VISIBLE_DEVICES sees all GPUs of its node unless the pod says otherwise).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy.pods import Container, container_rule, containers_of, pod_of
from policy.rule import UNKNOWN, Resource, Rule, at, is_known, items

_GPU: Final = re.compile(r"(nvidia|amd|gpu\.intel)\.com/.+")
_VISIBLE: Final = "NVIDIA_VISIBLE_DEVICES"


def gpus_of(container: Container) -> dict[str, Any]:
    """Return what a container asks for of each kind of GPU, by resource name, requests and limits together."""
    sides = [side for side in _amounts(container) if isinstance(side, Mapping)]
    return {name: value for side in sides for name, value in side.items() if _GPU.fullmatch(name)}


def _amounts(container: Container) -> tuple[Any, Any]:
    return at(container, "resources", "requests"), at(container, "resources", "limits")


def _whole(container: Container, _pod: Mapping[str, Any]) -> str:
    limits, requests = at(container, "resources", "limits"), at(container, "resources", "requests")
    for name, amount in gpus_of(container).items():
        limit, request = at(limits, name), at(requests, name)
        if is_known(amount) and not re.fullmatch(r"[1-9]\d*", str(amount)):
            return f"{name} is {amount!r}; ask for a whole number of at least 1, or leave it out"
        if limit is None:
            return f"{name} is requested but not limited; set it under resources.limits"
        if request is not None and UNKNOWN not in {request, limit} and str(request) != str(limit):
            return f"{name} is requested {request} times and limited to {limit}; make them equal, GPUs are not overcommitted"
    return ""


def _sees_no_other(resource: Resource) -> Iterator[str]:
    for container in containers_of(resource):
        if gpus_of(container) or at(container, "resources", "claims") or UNKNOWN in _amounts(container):
            continue
        variables = at(container, "env")
        values = {at(each, "name"): at(each, "value") for each in items(variables)}
        if is_known(variables) and values.get(_VISIBLE) not in {"void", UNKNOWN}:
            yield (
                f"{resource.label}, container {at(container, 'name')}: it asks for no GPU but may see its node's; "
                f"set {_VISIBLE}=void"
            )


def _tolerates(resource: Resource) -> Iterator[str]:
    wanted = {name for each in containers_of(resource) for name in gpus_of(each)}
    tolerations = at(pod_of(resource), "tolerations")
    tolerated = {at(each, "key") for each in items(tolerations)} if is_known(tolerations) else {UNKNOWN}
    for name in sorted(wanted):
        family = f"{name.partition('/')[0]}/gpu"
        if not {name, family, None, UNKNOWN} & tolerated:
            yield f"{resource.label}: it asks for {name} but does not tolerate the taint of GPU nodes; tolerate {family}:NoSchedule"


RULES: Final = (
    container_rule("gpus-whole-and-limited", "GPUs are whole numbers, and limits equal requests.", _whole),
    Rule(
        name="other-gpus-hidden",
        description="A container that asks for no GPU sees none, whatever its image says.",
        check=_sees_no_other,
    ),
    Rule(
        name="gpu-taints-tolerated",
        description="Pods on GPUs tolerate the taint of GPU nodes.",
        check=_tolerates,
    ),
)

"""The restricted Pod Security profile as a function over a pod, so that a template is judged as the API server would judge its pods.

Source: Kubernetes documentation, "Pod Security Standards", restricted (which includes baseline), v1.34.
"""

from collections.abc import Iterator, Mapping
from typing import Any

ALLOWED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def violations(pod: Mapping[str, Any]) -> list[str]:
    """Return every breach of the profile by a pod spec, in words."""
    return [
        *_of_pod(pod),
        *(breach for container in _containers(pod) for breach in _of_container(container, pod)),
    ]


def _containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"], *pod.get("ephemeralContainers", [])]


def _of_pod(pod: Mapping[str, Any]) -> Iterator[str]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            yield f"{field} is set"
    for volume in pod.get("volumes", []):
        for kind in volume.keys() - {"name"} - ALLOWED_VOLUMES:
            yield f"volume {volume['name']} is a {kind}"
    if pod.get("securityContext", {}).get("sysctls"):
        yield "sysctls are set"


def _of_container(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[str]:
    own, shared = container.get("securityContext", {}), pod.get("securityContext", {})
    name = container["name"]
    if own.get("privileged"):
        yield f"{name} is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name} may escalate privileges"
    if own.get("capabilities", {}).get("drop") != ["ALL"] or set(
        own.get("capabilities", {}).get("add", [])
    ) - {"NET_BIND_SERVICE"}:
        yield f"{name} keeps capabilities"
    if own.get("runAsNonRoot", shared.get("runAsNonRoot")) is not True:
        yield f"{name} may run as root"
    if own.get("runAsUser", shared.get("runAsUser")) == 0:
        yield f"{name} runs as user 0"
    if own.get("seccompProfile", shared.get("seccompProfile", {})).get("type") not in {
        "RuntimeDefault",
        "Localhost",
    }:
        yield f"{name} has no seccomp profile"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield f"{name} takes a port of the host"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if container.get(probe, {}).get("httpGet", {}).get("host"):
            yield f"{name}'s {probe} names a host"

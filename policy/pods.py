"""What is asked of every pod, whatever makes it: Deployment, StatefulSet, DaemonSet, Job, CronJob, or a bare Pod.

Sources: Kubernetes' "Pod Security Standards" (restricted), NSA and CISA's hardening guide for what the profile leaves out (read-only
root, limits). Init containers and sidecars are containers.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from policy.rule import UNKNOWN, Resource, Rule, at, is_known, items

_POD_PATHS: Final = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), ("spec", "template", "spec")
    ),
}
_LASTING: Final = ("Deployment", "StatefulSet", "DaemonSet")
BY_DIGEST: Final = re.compile(r"\S+@sha256:[0-9a-f]{64}")
_SECRET_NAME: Final = re.compile(
    r"(PASSWORD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)"
)
_A_PATH: Final = re.compile(r"(/\S*)?")

Container = Mapping[str, Any]


def pod_of(resource: Resource) -> Mapping[str, Any]:
    """Return the pod spec that a resource makes pods of; empty where it makes none, or not known ones."""
    path = _POD_PATHS.get(resource.kind)
    pod = at(resource.props, *path) if path and resource.type.startswith("kubernetes:") else None
    return pod if isinstance(pod, Mapping) else {}


def containers_of(resource: Resource) -> list[Container]:
    """Return every container, init containers first."""
    pod = pod_of(resource)
    found = (*items(at(pod, "initContainers")), *items(at(pod, "containers")))
    return [each for each in found if isinstance(each, Mapping)]


def container_rule(
    name: str,
    description: str,
    check: Callable[[Container, Mapping[str, Any]], str],
    *,
    is_on_request: bool = False,
) -> Rule:
    """Return a rule that asks `check(container, pod)` for a breach, "" for none, and names the container."""

    def each(resource: Resource) -> Iterator[str]:
        pod = pod_of(resource)
        for container in containers_of(resource):
            breach = check(container, pod)
            if breach:
                yield f"{resource.label}, container {at(container, 'name')}: {breach}"

    return Rule(name=name, description=description, check=each, is_on_request=is_on_request)


def _image(container: Container, _pod: Mapping[str, Any]) -> str:
    image = at(container, "image")
    if not is_known(image) or BY_DIGEST.fullmatch(str(image)):
        return ""
    return (
        f"image {image!r} is not named by digest; write NAME@sha256:…, so that what was tested is what runs"
    )


def _root(container: Container, pod: Mapping[str, Any]) -> str:
    user = _effective(container, pod, "runAsUser")
    if user == 0:
        return "runAsUser is 0; name a user above 10000 and set runAsNonRoot: true"
    if _effective(container, pod, "runAsNonRoot") in {True, UNKNOWN}:
        return ""
    return "it may run as root; set securityContext.runAsNonRoot: true"


def _privileges(container: Container, pod: Mapping[str, Any]) -> str:
    own = at(container, "securityContext")
    if at(own, "privileged") is True:
        return "it is privileged; remove securityContext.privileged"
    if at(own, "allowPrivilegeEscalation") not in {False, UNKNOWN}:
        return "it may gain privileges; set securityContext.allowPrivilegeEscalation: false"
    dropped = at(own, "capabilities", "drop")
    if is_known(dropped) and ("ALL" not in items(dropped) or items(at(own, "capabilities", "add"))):
        return "it keeps capabilities; set securityContext.capabilities.drop: [ALL] and add none"
    profile = at(_effective(container, pod, "seccompProfile"), "type")
    if profile not in {"RuntimeDefault", "Localhost", UNKNOWN}:
        return "it has no seccomp profile; set securityContext.seccompProfile.type: RuntimeDefault"
    return ""


def _writable_root(container: Container, _pod: Mapping[str, Any]) -> str:
    if at(container, "securityContext", "readOnlyRootFilesystem") in {True, UNKNOWN}:
        return ""
    return "its root file system is writable; set securityContext.readOnlyRootFilesystem: true and mount an emptyDir at /tmp"


def _resources(container: Container, _pod: Mapping[str, Any]) -> str:
    requests, limits = at(container, "resources", "requests"), at(container, "resources", "limits")
    wanted = {"requests.cpu": at(requests, "cpu"), "requests.memory": at(requests, "memory")}
    wanted |= {
        "limits.memory": at(limits, "memory"),
        "limits.ephemeral-storage": at(limits, "ephemeral-storage"),
    }
    missing = [name for name, value in wanted.items() if value is None]
    if missing:
        return f"resources.{missing[0]} is not set; set it, so that the pod is placed where it fits and cannot fill its node"
    amounts = {at(requests, "memory"), at(limits, "memory")}
    if len(amounts) > 1 and UNKNOWN not in amounts:
        return "its memory request and limit differ; make them equal, or it is killed for memory that nobody set aside"
    return ""


def _environment(container: Container, _pod: Mapping[str, Any]) -> str:
    for variable in items(at(container, "env")):
        name, value = str(at(variable, "name")), at(variable, "value")
        if at(variable, "valueFrom", "secretKeyRef") is not None:
            return f"variable {name} comes from a Secret; mount the Secret as a file instead: variables show in dumps and children"
        # A path to a secret is how it should be.
        if _SECRET_NAME.search(name.upper()) and isinstance(value, str) and not _A_PATH.fullmatch(value):
            return f"variable {name} looks like a secret; mount a Secret as a file and give its path"
    if any(at(source, "secretRef") is not None for source in items(at(container, "envFrom"))):
        return "a whole Secret becomes variables (envFrom); mount it as files instead"
    return ""


def _vouched_for(container: Container, _pod: Mapping[str, Any]) -> str:
    variables = {at(each, "name"): at(each, "value") for each in items(at(container, "env"))}
    if "TFSP_MODEL_NAME" not in variables or variables.get("TFSP_MODEL_SIGNATURE_KEYS"):
        return ""
    return (
        "it loads models that nobody vouches for; set model.signatureKeys to the public keys that you trust"
    )


def _host(resource: Resource) -> Iterator[str]:
    pod = pod_of(resource)
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if at(pod, field) is True:
            yield f"{resource.label}: {field} is true; remove it, a model needs nothing of its host"
    for volume in items(at(pod, "volumes")):
        if at(volume, "hostPath") is not None:
            yield f"{resource.label}: volume {at(volume, 'name')} is a hostPath; use an emptyDir, a claim or an image instead"
    for container in containers_of(resource):
        if any(at(port, "hostPort") for port in items(at(container, "ports"))):
            yield f"{resource.label}, container {at(container, 'name')}: it takes a hostPort; use a Service"


def _probes(resource: Resource) -> Iterator[str]:
    if resource.kind not in _LASTING:
        return
    for container in items(at(pod_of(resource), "containers")):
        where = f"{resource.label}, container {at(container, 'name')}"
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            if at(container, probe) is None:
                yield f"{where}: it has no {probe}; add one, or requests reach a model that is not loaded"
        alive, ready = at(container, "livenessProbe", "httpGet"), at(container, "readinessProbe", "httpGet")
        if isinstance(alive, Mapping) and alive == ready:
            yield f"{where}: liveness asks what readiness asks; ask only whether the process lives, or a bad model restarts for ever"


def _token(resource: Resource) -> Iterator[str]:
    if pod_of(resource) and at(pod_of(resource), "automountServiceAccountToken") not in {False, UNKNOWN}:
        yield f"{resource.label}: its pods get a token of the API server; set automountServiceAccountToken: false"


def _drain(resource: Resource) -> Iterator[str]:
    pod = pod_of(resource)
    grace = at(pod, "terminationGracePeriodSeconds")
    for container in containers_of(resource):
        sleep = at(container, "lifecycle", "preStop", "sleep", "seconds")
        if isinstance(sleep, int | float) and isinstance(grace, int | float) and grace <= sleep:
            yield (
                f"{resource.label}, container {at(container, 'name')}: its preStop sleep ({sleep:.0f} s) uses up the grace period "
                f"({grace:.0f} s); raise terminationGracePeriodSeconds above sleep and longest request together"
            )


def _effective(container: Container, pod: Mapping[str, Any], field: str) -> Any:  # noqa: ANN401 - plain data
    """What holds for a container: its own value, else its pod's."""
    own = at(container, "securityContext", field)
    return at(pod, "securityContext", field) if own is None else own


RULES: Final = (
    container_rule(
        "images-by-digest", "Images are named by digest, so that a tag that moves changes nothing.", _image
    ),
    container_rule("containers-not-root", "No container runs as root: the node's kernel is shared.", _root),
    container_rule(
        "no-privileges",
        "Containers gain no privileges, keep no capabilities, and have a seccomp profile.",
        _privileges,
    ),
    container_rule(
        "read-only-root", "Root file systems are read-only: what breaks in cannot stay.", _writable_root
    ),
    container_rule(
        "resources-set",
        "Requests and limits are set, memory alike: one pod cannot starve its node.",
        _resources,
    ),
    container_rule(
        "no-secrets-in-variables", "Secrets are files, never environment variables.", _environment
    ),
    container_rule(
        "models-vouched-for",
        "Model servers load only what a key of the team's signed.",
        _vouched_for,
        is_on_request=True,
    ),
    Rule(
        name="nothing-of-the-host",
        description="Pods take no network, namespace, path or port of their host.",
        check=_host,
    ),
    Rule(
        name="probes-present",
        description="Servers have startup, readiness and liveness probes.",
        check=_probes,
    ),
    Rule(
        name="no-api-token",
        description="Pods that never ask the API server hold no token for it.",
        check=_token,
    ),
    Rule(
        name="time-to-drain",
        description="Pods have time to finish requests after their preStop sleep.",
        check=_drain,
    ),
)

"""Every rule lets the sample stack pass, and stops it when one thing is different, with words that say what to do."""

import dataclasses

import pytest

from policy.catalogue import KEYED_RULES, RULES, STACK_RULES
from policy.rule import UNKNOWN, Resource
from tests.policy.samples import REMOVED, changed, stack, with_options

POD = "spec|template|spec"
CONTAINER = f"{POD}|containers|0"
SECURITY = f"{CONTAINER}|securityContext"
LIMITS, REQUESTS = f"{CONTAINER}|resources|limits", f"{CONTAINER}|resources|requests"
ENFORCED = "metadata|labels|pod-security.kubernetes.io/enforce"
WIDE = {"apiGroups": ["*"], "resources": ["pods"], "verbs": ["get"]}

BREACHES = [
    # rule, resource, what differs, what the message says
    ("images-by-digest", "deployment", (f"{CONTAINER}|image", "tensorflow/serving:2.20.0"), "@sha256"),
    ("images-by-digest", "deployment", (f"{CONTAINER}|image", "serving@sha256:abc"), "@sha256"),
    ("containers-not-root", "deployment", (f"{POD}|securityContext|runAsNonRoot", REMOVED), "runAsNonRoot: true"),
    ("containers-not-root", "deployment", (f"{SECURITY}|runAsUser", 0), "above 10000"),
    ("no-privileges", "deployment", (f"{SECURITY}|allowPrivilegeEscalation", REMOVED), "allowPrivilegeEscalation: false"),
    ("no-privileges", "deployment", (f"{SECURITY}|privileged", True), "privileged"),
    ("no-privileges", "deployment", (f"{SECURITY}|capabilities|drop", []), "drop: [ALL]"),
    ("no-privileges", "deployment", (f"{SECURITY}|capabilities|add", ["NET_RAW"]), "add none"),
    ("no-privileges", "deployment", (f"{POD}|securityContext|seccompProfile", REMOVED), "RuntimeDefault"),
    ("read-only-root", "deployment", (f"{SECURITY}|readOnlyRootFilesystem", False), "emptyDir at /tmp"),
    ("resources-set", "deployment", (f"{REQUESTS}|cpu", REMOVED), "resources.requests.cpu is not set"),
    ("resources-set", "deployment", (f"{LIMITS}|ephemeral-storage", REMOVED), "ephemeral-storage is not set"),
    ("resources-set", "deployment", (f"{LIMITS}|memory", "9Gi"), "make them equal"),
    ("no-secrets-in-variables", "deployment", (f"{CONTAINER}|env|0", {"name": "S3_SECRET", "value": "x"}), "as a file"),
    (
        "no-secrets-in-variables",
        "deployment",
        (f"{CONTAINER}|env|0", {"name": "S3", "valueFrom": {"secretKeyRef": {"name": "s"}}}),
        "as a file",
    ),
    ("no-secrets-in-variables", "deployment", (f"{CONTAINER}|envFrom", [{"secretRef": {"name": "s"}}]), "envFrom"),
    (
        "models-vouched-for",
        "deployment",
        (f"{CONTAINER}|env|0", {"name": "TFSP_MODEL_NAME", "value": "mnist"}),
        "model.signatureKeys",
    ),
    ("nothing-of-the-host", "deployment", (f"{POD}|hostNetwork", True), "remove it"),
    ("nothing-of-the-host", "deployment", (f"{POD}|volumes|0", {"name": "m", "hostPath": {"path": "/"}}), "emptyDir"),
    ("nothing-of-the-host", "deployment", (f"{CONTAINER}|ports|0|hostPort", 8501), "use a Service"),
    ("probes-present", "deployment", (f"{CONTAINER}|startupProbe", REMOVED), "no startupProbe"),
    ("probes-present", "deployment", (f"{CONTAINER}|livenessProbe|httpGet|path", "/readyz"), "restarts for ever"),
    ("no-api-token", "deployment", (f"{POD}|automountServiceAccountToken", REMOVED), "automountServiceAccountToken: false"),
    ("time-to-drain", "deployment", (f"{POD}|terminationGracePeriodSeconds", 5), "raise terminationGracePeriodSeconds"),
    ("gpus-whole-and-limited", "deployment", (f"{LIMITS}|nvidia.com/gpu", "0.5"), "whole number"),
    ("gpus-whole-and-limited", "deployment", (f"{LIMITS}|nvidia.com/gpu", REMOVED), "not limited"),
    ("gpus-whole-and-limited", "deployment", (f"{REQUESTS}|nvidia.com/gpu", "2"), "make them equal"),
    (
        "other-gpus-hidden",
        "deployment",
        (f"{POD}|initContainers", [{"name": "fetch"}]),
        "container fetch: it asks for no GPU",
    ),
    ("gpu-taints-tolerated", "deployment", (f"{POD}|tolerations", []), "nvidia.com/gpu:NoSchedule"),
    ("namespace-restricted", "namespace", (ENFORCED, "baseline"), "enforce: restricted"),
    ("namespace-restricted", "namespace", (f"{ENFORCED}-version", "latest"), "pin"),
    ("own-namespace", "service", ("metadata|namespace", "default"), "of the stack's own"),
    ("own-namespace", "service", ("metadata|namespace", REMOVED), "of the stack's own"),
    ("services-inside", "service", ("spec|type", "LoadBalancer"), "use ClusterIP"),
    ("services-inside", "service", ("spec|type", "NodePort"), "use ClusterIP"),
    ("budgets-let-nodes-drain", "budget", ("spec|maxUnavailable", 0), "set it to 1"),
    ("budgets-let-nodes-drain", "budget", ("spec|maxUnavailable", "0%"), "set it to 1"),
    ("budgets-let-nodes-drain", "budget", ("spec|minAvailable", 1), "use maxUnavailable: 1"),
    ("budgets-let-nodes-drain", "budget", ("spec|unhealthyPodEvictionPolicy", REMOVED), "AlwaysAllow"),
    ("rights-by-name", "role", ("rules|0", WIDE), "name what is needed"),
    ("errors-not-hidden", "provider", ("deleteUnreachable", "true"), "unset it"),
    ("bases-by-digest", "image", ("buildArgs|BASE_IMAGE", "docker.io/library/debian:bookworm"), "write NAME@sha256:"),
]  # fmt: skip


def messages(rule: str, resource: Resource) -> list[str]:
    return [text for each in RULES if each.name == rule for text in each.check(resource)]


def stack_messages(rule: str, resources: dict[str, Resource]) -> list[str]:
    found = [each for each in STACK_RULES if each.name == rule]
    return [text for each in found for _, text in each.check(list(resources.values()))]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_sample_stack_keeps_every_rule(rule):
    assert [text for each in stack().values() for text in rule.check(each)] == []


@pytest.mark.parametrize("rule", STACK_RULES, ids=lambda rule: rule.name)
def test_the_sample_stack_keeps_every_rule_of_stacks(rule):
    assert list(rule.check(list(stack().values()))) == []


@pytest.mark.parametrize(
    ("rule", "resource", "change", "words"),
    BREACHES,
    ids=[f"{rule}-{change[0].rpartition('|')[2]}" for rule, _, change, _ in BREACHES],
)
def test_a_breach_is_named_with_its_remedy(rule, resource, change, words):
    (message,) = messages(rule, changed(stack()[resource], *change))
    assert words in message
    assert message.startswith(("Provider provider", "Image image", changed(stack()[resource], *change).label))


def test_what_holds_data_is_protected():
    (message,) = messages("data-protected", with_options(stack()["claim"], is_protected=False))
    assert (
        message
        == "PersistentVolumeClaim mnist: it holds data and may be deleted; set protect=True in its options"
    )


def test_a_cluster_wide_binding_is_refused():
    binding = Resource(
        type="kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", name="all", props={}
    )
    assert "RoleBinding" in messages("rights-by-name", binding)[0]


def test_a_stack_on_ones_own_machine_may_use_node_ports():
    service = changed(stack()["service"], "spec|type", "NodePort")
    assert (
        messages("services-inside", with_options(service, urn="urn:pulumi:local::project::t::service")) == []
    )


def test_a_stack_on_ones_own_machine_may_build_on_tags():
    image = changed(stack()["image"], "buildArgs|BASE_IMAGE", "127.0.0.1:5000/debian:bookworm")
    assert messages("bases-by-digest", with_options(image, urn="urn:pulumi:local::project::t::image")) == []


@pytest.mark.parametrize("value", ["/var/run/secrets/s3", ""], ids=["path", "empty"])
def test_a_path_to_a_secret_is_no_secret(value):
    variable = {"name": "S3_SECRET_FILE", "value": value}
    assert (
        messages("no-secrets-in-variables", changed(stack()["deployment"], f"{CONTAINER}|env|0", variable))
        == []
    )


def test_a_job_needs_no_probes():
    job = dataclasses.replace(stack()["deployment"], type="kubernetes:batch/v1:Job")
    assert messages("probes-present", changed(job, f"{CONTAINER}|startupProbe", REMOVED)) == []


def test_pods_of_every_kind_are_judged():
    deployment = changed(stack()["deployment"], f"{CONTAINER}|image", "tensorflow/serving:latest")
    for kind in ("apps/v1:StatefulSet", "apps/v1:DaemonSet", "batch/v1:Job"):
        assert messages("images-by-digest", dataclasses.replace(deployment, type=f"kubernetes:{kind}"))
    bare = dataclasses.replace(
        deployment,
        type="kubernetes:core/v1:Pod",
        props={"spec": deployment.props["spec"]["template"]["spec"]},
    )
    assert messages("images-by-digest", bare)
    later = dataclasses.replace(
        deployment, type="kubernetes:batch/v1:CronJob", props={"spec": {"jobTemplate": deployment.props}}
    )
    assert messages("images-by-digest", later)


@pytest.mark.parametrize(
    "path",
    [
        "spec",
        POD,
        f"{POD}|tolerations",
        f"{CONTAINER}|image",
        f"{CONTAINER}|env",
        SECURITY,
        f"{SECURITY}|capabilities",
        LIMITS,
        f"{LIMITS}|memory",
        REQUESTS,
    ],
    ids=lambda path: path.removeprefix(f"{POD}|"),
)
def test_what_is_not_known_before_the_update_is_judged_in_the_update(path):
    deployment = changed(stack()["deployment"], path, UNKNOWN)
    assert [text for rule in RULES for text in rule.check(deployment)] == []


def test_replicas_beside_an_autoscaler_are_a_breach_unless_changes_are_ignored():
    resources = stack()
    resources["deployment"] = changed(resources["deployment"], "spec|replicas", 2)
    (message,) = stack_messages("replicas-left-to-the-autoscaler", resources)
    assert "ignore_changes" in message
    resources["deployment"] = with_options(resources["deployment"], ignored_changes=("spec.replicas",))
    assert stack_messages("replicas-left-to-the-autoscaler", resources) == []


def test_pods_without_a_budget_and_with_two_are_breaches():
    resources = stack()
    twice = {**resources, "second": with_options(resources["budget"], name="second")}
    assert "keep one" in stack_messages("one-budget-per-deployment", twice)[0]
    del resources["budget"]
    assert "add one" in stack_messages("one-budget-per-deployment", resources)[0]


@pytest.mark.parametrize(
    ("change", "side"),
    [
        (("spec|policyTypes", ["Ingress"]), "Egress"),
        (("spec|egress", [{}]), "Egress"),
        (("spec|podSelector", {"matchLabels": {"a": "b"}}), "Ingress"),
        (("metadata|namespace", "other"), "Ingress"),
    ],
    ids=["one side", "all opened", "some pods", "elsewhere"],
)
def test_a_namespace_that_is_not_closed_is_a_breach(change, side):
    resources = stack()
    resources["deny"] = changed(resources["deny"], *change)
    assert f"nothing denies {side}" in stack_messages("namespace-closed", resources)[0]


def test_every_rule_has_a_breach_here():
    elsewhere = {"data-protected"}
    assert {rule.name for rule in RULES} == {rule for rule, *_ in BREACHES} | elsewhere


def test_rules_have_one_name_and_a_sentence_each():
    names = [rule.name for rule in (*RULES, *KEYED_RULES, *STACK_RULES)]
    assert len(names) == len(set(names))
    assert all(rule.description.endswith(".") for rule in (*RULES, *KEYED_RULES, *STACK_RULES))

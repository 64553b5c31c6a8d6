"""What a training stack declares: plain data, compared outside of any `apply`."""

from typing import Any

import pytest

from components.config.training_sections import read_training
from components.errors import ConfigError
from components.training_platform import TrainingPlatform, TrainingPlatformArgs
from policy.catalogue import RULES, STACK_RULES
from policy.rule import Resource
from tests.components.declared import Program, declare
from tests.components.restricted import violations

IMAGE = "registry.example.com/team/mnist-training@sha256:" + "a" * 64
SMALL: dict[str, dict[str, Any]] = {
    "repository": {"bucket": "s3://models/team"},
    "training": {"model": "mnist", "version": 7, "image": IMAGE},
}


def deploy(**sections: dict[str, Any]) -> Program:
    merged = {name: {**SMALL.get(name, {}), **sections.get(name, {})} for name in {*SMALL, *sections}}
    args = TrainingPlatformArgs(config=read_training(merged))
    return declare(lambda: TrainingPlatform("training", args))


def run(**sections: dict[str, Any]) -> dict[str, Any]:
    return deploy(**sections).one("Job").inputs


def pod(**sections: dict[str, Any]) -> dict[str, Any]:
    return run(**sections)["spec"]["template"]["spec"]


def test_a_training_stack_is_five_objects_and_a_claim_where_it_asks_for_one():
    kinds = sorted(each.kind for each in deploy().resources if each.type.startswith("kubernetes:"))
    assert kinds == ["Job", "Namespace", "NetworkPolicy", "NetworkPolicy", "ServiceAccount"]
    assert "PersistentVolumeClaim" in {
        each.kind for each in deploy(repository={"bucket": "", "volumeGib": 1}).resources
    }


def test_training_comes_first_and_only_publishing_knows_the_repository():
    declared = pod(repository={"endpoint": "https://s3.example.com:9000", "credentialsSecret": "s3"})
    (train,), (publish,) = declared["initContainers"], declared["containers"]
    assert publish["command"] == [
        "python3", "-m", "model_export", "publish", "/export/mnist/7", "s3://models/team/mnist", "--if-missing",
    ]  # fmt: skip
    names = {each["name"] for each in train["env"]}
    assert names == {"EXPORT_DIR", "HOME", "MODEL_NAME", "MODEL_VERSION", "NVIDIA_VISIBLE_DEVICES"}
    assert "AWS_ENDPOINT_URL" in {each["name"] for each in publish["env"]}
    assert [each["name"] for each in train["volumeMounts"]] == ["tmp", "export"]


def test_labels_move_when_the_version_is_published():
    (publish,) = pod(training={"labels": ["canary", "nightly"]})["containers"]
    assert publish["command"][-4:] == ["--label", "canary", "--label", "nightly"]


def test_gpus_are_the_trainings_alone():
    declared = pod(gpu={"count": 2, "product": "NVIDIA-H100", "runtimeClass": "nvidia"})
    (train,), (publish,) = declared["initContainers"], declared["containers"]
    assert train["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert "nvidia.com/gpu" not in publish["resources"]["limits"]
    assert {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in publish["env"]
    assert declared["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]


def test_training_stays_away_from_pods_that_serve_in_any_namespace():
    (term,) = pod()["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term == {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {
            "matchLabels": {
                "app.kubernetes.io/name": "tf-serving",
                "app.kubernetes.io/component": "model-server",
            }
        },
        "namespaceSelector": {},
    }


def test_a_pool_is_what_its_label_says():
    pools = {"nodePoolLabel": "cloud.google.com/gke-nodepool", "nodePool": "training"}
    affinity = pod(training=pools)["affinity"]
    (term,) = affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "cloud.google.com/gke-nodepool"
    (node,) = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert node["matchExpressions"] == [
        {"key": "cloud.google.com/gke-nodepool", "operator": "In", "values": ["training"]}
    ]


def test_a_shared_pool_is_asked_for():
    assert "affinity" not in pod(training={"besideServing": True})


def test_a_run_is_bounded_in_attempts_time_and_memory_of_it():
    spec = run(training={"attempts": 4, "longestSeconds": 3600, "keptSeconds": 600})["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (
        3,
        3600,
        600,
    )
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_an_eviction_is_no_failure_and_a_wrong_command_line_is_final():
    evicted, hopeless = run()["spec"]["podFailurePolicy"]["rules"]
    assert (evicted["action"], evicted["onPodConditions"]) == (
        "Ignore",
        [{"type": "DisruptionTarget", "status": "True"}],
    )
    assert (hopeless["action"], hopeless["onExitCodes"]["values"]) == ("FailJob", [2])


@pytest.mark.parametrize(("queue", "label"), [("team-a", "team-a"), ("", None)], ids=["queued", "at once"])
def test_a_queue_admits_the_run_where_one_is_named(queue, label):
    assert run(training={"queue": queue})["metadata"]["labels"].get("kueue.x-k8s.io/queue-name") == label


def test_a_new_version_is_a_new_run_and_the_same_one_is_not():
    assert run()["metadata"]["name"] == "mnist-training-7"
    assert run(training={"version": 8})["metadata"]["name"] == "mnist-training-8"
    assert run() == run()


def test_an_update_waits_for_a_run_to_start_and_for_a_replaced_one_to_be_gone():
    annotations = run()["metadata"]["annotations"]
    assert (
        annotations["pulumi.com/waitFor"] == "jsonpath={.metadata.uid}"
    )  # which it has from the first moment on
    assert "pulumi.com/skipAwait" not in annotations  # of a deletion too: then both have one name at one time


def test_no_service_budget_or_policy_of_the_served_model_selects_its_training():
    labels = run()["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "tf-training"
    assert labels["app.kubernetes.io/component"] == "training"


def test_the_way_out_is_names_and_the_store():
    policy = next(
        each
        for each in deploy(repository={"endpoint": "http://s3.example.com:9000"}).all("NetworkPolicy")
        if "outward" in each.name
    )
    dns, store = policy.inputs["spec"]["egress"]
    assert [each["port"] for each in dns["ports"]] == [53, 53]
    assert [each["port"] for each in store["ports"]] == [443, 9000]
    assert policy.inputs["spec"]["policyTypes"] == ["Egress"]


def test_the_pod_keeps_the_restricted_profile():
    assert violations(pod(gpu={"count": 1}, repository={"credentialsSecret": "s3"})) == []


@pytest.mark.parametrize("home", [{}, {"bucket": "", "volumeGib": 5}], ids=["bucket", "volume"])
def test_the_stack_keeps_every_policy_but_what_mocks_cannot_tell(home):
    declared = deploy(repository=home, gpu={"count": 1})
    resources = [
        Resource(type=each.type, name=each.name, props=each.inputs, is_protected=True)
        for each in declared.resources
    ]
    assert [text for rule in RULES for each in resources for text in rule.check(each)] == []
    assert [text for rule in STACK_RULES for _, text in rule.check(resources)] == []


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"training": {"image": "trainer:latest"}}, "training.image must be an image by digest"),
        ({"training": {"nodePool": "a"}}, "training.nodePoolLabel names single nodes; set it to the label"),
        ({"training": {"attempts": 0}}, "training.attempts must be at least 1"),
        ({"training": {"longestSeconds": "2h"}}, "the unit is in the key's name"),
        ({"training": {"que": "x"}}, "unknown key training.que; did you mean queue"),
        ({"gpu": {"count": 1, "deviceClass": "gpu.nvidia.com"}}, "leave gpu.deviceClass out"),
        ({"trainings": {}}, "unknown key trainings; did you mean training"),
    ],
    ids=["tag", "pool without label", "no attempts", "unit", "unknown key", "claims", "unknown section"],
)
def test_a_mistake_is_a_sentence(sections, words):
    with pytest.raises(ConfigError, match=words):
        deploy(**sections)


def test_a_model_must_be_named():
    with pytest.raises(ConfigError, match=r"training\.model is not set"):
        read_training({"repository": {"bucket": "s3://models/team"}, "training": {"image": IMAGE}})

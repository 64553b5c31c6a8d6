"""What `bin/status` says of recorded worlds: what is wrong, why, and what to do."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from launch.status.reading import read_report
from launch.status.sources import Answer
from tests.launch.status.answers import MODEL, RECORDED, Recorded


def test_a_healthy_stack_is_well_and_shows_what_serves() -> None:
    report = read_report("local", None, Recorded())
    assert report.is_well
    (model,) = report.models
    assert (model.version, model.digest, model.served_digest) == (1000, "sha256:aaaa", "sha256:aaaa")
    assert (model.ready_pods, model.wanted_pods) == (1, 1)
    assert [(pod.is_ready, pod.reasons) for pod in report.pods] == [(True, ())]
    assert report.autoscalers[0].metrics == ("cpu 2 % of 70 %",)


def test_the_report_is_json_all_through() -> None:
    printed = json.loads(json.dumps(read_report("local", None, Recorded()).to_dict()))
    assert printed["is_well"] is True
    assert printed["models"][0]["image"] == MODEL["image"]


@pytest.mark.parametrize(
    ("world", "what", "todo"),
    [
        ("no-gpu", "Insufficient nvidia.com/gpu", "lower gpu.count"),
        ("no-gpu", "no metrics returned", "metrics-server"),
        ("image-pull", "ImagePullBackOff", "registry"),
        ("crash-loop", "before: OOMKilled, exit code 137", "resources.memoryMib"),
        ("crash-loop", "CrashLoopBackOff", "kubectl logs --previous mnist-5d8f6c7b9d-x7v2k"),
        ("quota", "exceeded quota", "quota"),
        ("at-the-cap", "more than the maximum replica count", "autoscaling.maxReplicas"),
        ("other-digest", "told to serve sha256:bbbb", "bin/pulumi up --refresh"),
        ("emptied", "not in the cluster", "bin/pulumi up --refresh"),
        ("crash-loop", "0 of 1 pods are ready", "bin/status"),
    ],
)
def test_what_is_wrong_comes_with_what_to_do(world: str, what: str, todo: str) -> None:
    report = read_report("local", None, Recorded(world))
    assert not report.is_well
    assert [each for each in report.problems if what in each.what and todo in each.todo]


@pytest.mark.parametrize(
    ("reason", "seconds_ago", "is_well"),
    [
        ("FailedGetContainerResourceMetric", 5, True),
        ("FailedGetPodsMetric", 80, True),
        ("FailedGetContainerResourceMetric", 100, False),
        ("FailedGetScale", 5, False),
    ],
)
def test_an_autoscaler_waits_for_the_first_figure_of_a_new_pod_before_that_is_a_problem(
    reason: str, seconds_ago: int, is_well: bool
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    condition = {
        "type": "ScalingActive",
        "status": "False",
        "reason": reason,
        "message": "did not receive metrics for targeted pods (pods might be unready)",
        "lastTransitionTime": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    world = json.loads((RECORDED / "healthy.json").read_text())
    (scaler,) = [each for each in world["items"] if each["kind"] == "HorizontalPodAutoscaler"]
    scaler["status"]["conditions"] = [condition]
    report = read_report("local", None, Recorded(kubectl=Answer(code=0, output=json.dumps(world))))
    assert report.is_well is is_well
    assert len(report.problems) == (0 if is_well else 1)


def test_a_pod_that_leaves_is_no_problem() -> None:
    report = read_report("local", None, Recorded("leaving"))
    assert [(pod.name, pod.phase) for pod in report.pods][1] == ("mnist-old", "Terminating")
    assert report.is_well


def test_warnings_are_those_of_living_objects_only() -> None:
    (warning,) = read_report("local", None, Recorded()).recent_warnings
    assert warning.where == "pod mnist-5d8f6c7b9d-x7v2k"
    assert "Startup probe failed" in warning.what


def test_without_a_cluster_it_says_how_to_start_one_and_asks_no_kubectl() -> None:
    read = Recorded(cluster={"running": False, "components": {}})
    report = read_report("local", None, read)
    assert (report.cluster.state, "bin/cluster up" in report.cluster.todo) == ("absent", True)
    assert not [line for line in read.asked if "kubectl" in line]
    assert [model.name for model in report.models] == ["mnist"]


def test_a_damaged_cluster_names_what_does_not_run() -> None:
    cluster = {"running": False, "components": {"etcd": {"alive": False}, "kubelet": {"alive": True}}}
    report = read_report("local", None, Recorded(cluster=cluster))
    assert report.cluster.state == "damaged"
    assert "etcd" in report.cluster.todo


def test_a_context_that_does_not_answer_is_unreachable_in_the_clients_words() -> None:
    silent = Answer(code=1, error="Unable to connect to the server: dial tcp: i/o timeout\n")
    read = Recorded(kubectl=silent)
    report = read_report("context-far", "far", read)
    assert report.cluster.state == "unreachable"
    assert "i/o timeout" in report.cluster.todo
    assert any("--context far" in line for line in read.asked)
    assert not any(line.startswith("bin/cluster status") for line in read.asked)


@pytest.mark.parametrize(
    "outputs",
    [
        Answer(code=255, error="error: no stack named 'local' found\n"),
        Answer(code=124, error="no answer within 30 s"),
    ],
    ids=["no such stack", "backend does not answer"],
)
def test_a_stack_without_outputs_says_how_to_deploy_it(outputs: Answer) -> None:
    report = read_report("local", None, Recorded(outputs=outputs))
    (problem,) = report.problems
    assert "bin/up" in problem.todo
    assert not report.is_well


def test_a_first_update_that_did_not_get_through_shows_why() -> None:
    read = Recorded("no-gpu", outputs=Answer(code=0, output="{}"))
    report = read_report("local", None, read)
    assert any("--namespace tf-serving-local" in line for line in read.asked)
    told = [problem.what for problem in report.problems]
    assert "its first update has not got through" in told
    assert any("Insufficient nvidia.com/gpu" in each for each in told)


def test_a_stack_that_was_never_applied_says_how_to_deploy_it() -> None:
    report = read_report("local", None, Recorded("emptied", outputs=Answer(code=0, output="{}")))
    (problem,) = report.problems
    assert (problem.what, "bin/up" in problem.todo) == ("nothing is deployed", True)
    assert not report.is_well


def test_what_the_local_cluster_really_answered_is_well() -> None:
    """`local-stack.json` was printed by kubectl for a stack that `bin/up` had just deployed."""
    digest = "sha256:09e348018ea2cc0ac55b7c0dc8f6338eb3aa252d3fd4e6491849dcb47979b9e8"
    declared = {"namespace": "tf-serving-local", "models": {"mnist": MODEL | {"model_digest": digest}}}
    read = Recorded("local-stack", outputs=Answer(code=0, output=json.dumps(declared)))
    report = read_report("local", None, read)
    assert report.is_well
    assert report.models[0].served_digest == digest
    assert report.autoscalers[0].metrics == ("cpu 0 % of 70 %",)
    assert {warning.where.partition(" ")[0] for warning in report.recent_warnings} <= {
        "pod",
        "horizontalpodautoscaler",
    }

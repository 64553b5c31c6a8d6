"""Stable and canary: two tracks, one share, and every step a change of one key that builds and replaces nothing."""

from typing import Any

import pulumi
import pytest

from components import naming
from components.rollout import sentence
from tests.components import examples
from tests.components.declared import Declared, Program
from tests.components.reachability import Place, reaches
from tests.components.test_platform import deploy

SOURCE = "build/next"
GATEWAY = {"exposure": {"gateway": "gateways/public", "host": "mnist.example.com"}}
FOUR = {"autoscaling": {"minReplicas": 4, "maxReplicas": 12}}


def canary(phase: str = "trial", **keys: Any) -> dict[str, dict[str, Any]]:
    return {**FOUR, "canary": {"source": SOURCE, "phase": phase, **keys}}


def named(program: Program, kind: str, name: str) -> Declared:
    (found,) = (each for each in program.all(kind) if each.inputs["metadata"]["name"] == name)
    return found


def names(program: Program, kind: str) -> set[str]:
    return {each.inputs["metadata"]["name"] for each in program.all(kind)}


def version_of(program: Program, deployment: str) -> str:
    return named(program, "Deployment", deployment).inputs["spec"]["template"]["metadata"]["labels"][
        "app.kubernetes.io/version"
    ]


def test_without_a_canary_there_is_one_track():
    deployed = deploy()
    assert names(deployed, "Deployment") == {"mnist"}
    assert len(deployed.all("Image")) == 2
    assert "canary" not in deployed.outputs


@pytest.mark.parametrize(
    ("phase", "versions", "share"),
    [
        ("trial", {"mnist": "7", "mnist-canary": "8"}, "trial"),
        ("promoted", {"mnist": "8"}, "promoted"),
        ("aborted", {"mnist": "7"}, "aborted"),
    ],
    ids=["trial", "promoted", "aborted"],
)
def test_the_phase_says_which_version_runs_where(phase, versions, share):
    deployed = deploy(**canary(phase))
    assert {name: version_of(deployed, name) for name in names(deployed, "Deployment")} == versions
    assert deployed.outputs["canary"]["phase"] == share
    assert deployed.outputs["model_version"] == int(versions["mnist"])


def test_no_step_builds_an_image_or_touches_a_name_or_selector():
    steps = [deploy(**canary(phase)) for phase in ("trial", "promoted", "aborted")]
    images = [{each.name: each.inputs for each in step.all("Image")} for step in steps]
    assert images[0] == images[1] == images[2]
    assert len(images[0]) == 3
    fixed = [
        (each.name, each.inputs["spec"]["selector"])
        for each in (named(step, "Deployment", "mnist") for step in steps)
    ]
    assert fixed[0] == fixed[1] == fixed[2]


def test_a_promotion_is_a_rolling_update_of_the_stable_deployment_to_the_image_that_was_tried():
    trial, promoted = deploy(**canary()), deploy(**canary("promoted"))
    tried = named(trial, "Deployment", "mnist-canary").inputs["spec"]["template"]["spec"]["containers"][0][
        "image"
    ]
    runs = named(promoted, "Deployment", "mnist").inputs["spec"]["template"]["spec"]["containers"][0]["image"]
    assert runs == tried == promoted.outputs["image"]
    assert runs != trial.outputs["image"]


def test_pods_say_their_track_and_no_deployment_selects_those_of_the_other():
    deployed = deploy(**canary())
    for name, track in (("mnist", "stable"), ("mnist-canary", "canary")):
        spec = named(deployed, "Deployment", name).inputs["spec"]
        labels = spec["template"]["metadata"]["labels"]
        assert labels[naming.TRACK_LABEL] == track
        assert naming.model_selector("mnist").items() <= labels.items()
        matching = {
            other
            for other in names(deployed, "Deployment")
            if spec["selector"]["matchLabels"].items()
            <= named(deployed, "Deployment", other).inputs["spec"]["template"]["metadata"]["labels"].items()
        }
        assert matching == {name}


def test_without_a_gateway_the_service_spreads_requests_over_the_pods_of_both():
    deployed = deploy(**canary(weightPercent=20))
    assert named(deployed, "Service", "mnist").inputs["spec"]["selector"] == naming.model_selector("mnist")
    assert named(deployed, "Deployment", "mnist-canary").inputs["spec"]["replicas"] == 1
    assert names(deployed, "HorizontalPodAutoscaler") == {"mnist"}
    # The canary's own Service leads to the canary alone: it can be asked directly.
    only = named(deployed, "Service", "mnist-canary").inputs["spec"]
    assert (only["type"], only["selector"]) == ("ClusterIP", naming.selector("mnist-canary"))


@pytest.mark.parametrize("phase", ["promoted", "aborted"])
def test_after_the_trial_the_service_leads_to_the_stable_pods_alone(phase):
    deployed = deploy(**canary(phase))
    assert deployed.one("Service").inputs["spec"]["selector"] == naming.selector("mnist")


@pytest.mark.parametrize(
    ("stable", "weight", "pods"), [(4, 10, 1), (9, 10, 1), (9, 25, 3), (20, 10, 2), (1, 50, 1)]
)
def test_the_canarys_pods_are_its_share(stable, weight, pods):
    sections = canary(weightPercent=weight) | {"autoscaling": {"minReplicas": stable, "maxReplicas": 40}}
    assert named(deploy(**sections), "Deployment", "mnist-canary").inputs["spec"]["replicas"] == pods


@pytest.mark.parametrize(("stable", "allowed"), [(3, False), (4, True)], ids=["25 %", "20 %"])
def test_a_canary_that_would_take_far_more_than_its_share_is_refused(stable, allowed):
    sections = canary() | {"autoscaling": {"minReplicas": stable, "maxReplicas": 4}}
    if allowed:
        assert deploy(**sections)
        return
    with pytest.raises(pulumi.RunError, match=r"answers 25 % .*set autoscaling.minReplicas to 4 or more"):
        deploy(**sections)


def test_a_gateway_splits_by_weight_and_the_canary_scales_by_itself():
    deployed = deploy(**canary(weightPercent=25), **GATEWAY)
    for kind, port in (("HTTPRoute", 8501), ("GRPCRoute", 8500)):
        (rule,) = deployed.one(kind).inputs["spec"]["rules"]
        assert rule["backendRefs"] == [
            {"name": "mnist", "port": port, "weight": 75},
            {"name": "mnist-canary", "port": port, "weight": 25},
        ]
        assert "filters" not in rule
    assert named(deployed, "Service", "mnist").inputs["spec"]["selector"] == naming.selector("mnist")
    bounds = named(deployed, "HorizontalPodAutoscaler", "mnist-canary").inputs["spec"]
    assert (bounds["minReplicas"], bounds["maxReplicas"]) == (1, 3)


@pytest.mark.parametrize(("percent", "mirror"), [(100, {}), (5, {"percent": 5})], ids=["all", "a part"])
def test_a_shadow_is_sent_copies_and_answers_nobody(percent, mirror):
    deployed = deploy(**canary(weightPercent=0, shadowPercent=percent), **GATEWAY)
    (rule,) = deployed.one("HTTPRoute").inputs["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "mnist", "port": 8501}]
    backend = {"name": "mnist-canary", "port": 8501}
    assert rule["filters"] == [{"type": "RequestMirror", "requestMirror": {"backendRef": backend, **mirror}}]


def test_a_canary_has_the_doors_of_its_model_and_a_budget_of_its_own():
    deployed = deploy(**canary())
    assert names(deployed, "NetworkPolicy") == {"deny-all", "mnist", "mnist-canary"}
    assert names(deployed, "PodDisruptionBudget") == {"mnist", "mnist-canary"}
    policies = [each.inputs for each in deployed.all("NetworkPolicy")]
    pod = Place(namespace="tf-serving", labels=naming.selector("mnist-canary"))
    assert reaches(Place(namespace="shop"), pod, 8501, policies)
    assert not reaches(Place(namespace="shop"), pod, 8502, policies)
    assert not reaches(pod, Place(namespace="shop"), 443, policies)


def test_two_versions_are_no_alarm_while_one_is_on_trial():
    def limit(**sections: Any) -> str:
        rule = deploy(observability={"alerts": True}, **sections).one("PrometheusRule").inputs["spec"]
        return next(
            each["expr"] for each in rule["groups"][0]["rules"] if each["alert"] == "ModelVersionsDiffer"
        )

    assert limit().endswith("> 1")
    assert limit(**canary()).endswith("> 2")
    assert limit(**canary("promoted")).endswith("> 1")


def test_a_canarys_gpus_are_counted():
    sections = canary() | {"gpu": {"count": 1, "available": 12}}
    with pytest.raises(pulumi.RunError, match=r"12 stable and 1 canary pods of 1 need 13 GPUs"):
        deploy(**sections)


@pytest.mark.parametrize(("available", "surge"), [(13, 0), (14, 1)], ids=["its own GPU only", "one to spare"])
def test_a_promotion_does_not_count_on_gpus_that_the_canary_gives_back_last(available, surge):
    # Its pods are deleted after the stable ones have been exchanged; a surge that needs their GPU would never end.
    sections = canary("promoted") | {"gpu": {"count": 1, "available": available}}
    strategy = deploy(**sections).one("Deployment").inputs["spec"]["strategy"]["rollingUpdate"]
    assert strategy["maxSurge"] == surge


def test_a_canary_is_another_version():
    (served,) = examples.config(**canary()).served
    from components.rollout import check_canary

    with pytest.raises(pulumi.RunError, match=r"canary.version must be another version than 7, got 7"):
        check_canary(served, examples.artifact(), examples.artifact())


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (canary(), "answers 20 % of the requests as 1 of 5 pods (10 % were asked for)"),
        (
            canary(weightPercent=25) | GATEWAY,
            "answers 25 % of the requests that come through gateways/public",
        ),
        (
            canary(weightPercent=0, shadowPercent=50) | GATEWAY,
            "no request of its own, and is sent a copy of 50 %",
        ),
        (
            canary("promoted"),
            "canary 8 is promoted: the stable pods run it; set canary.phase to aborted to go back to 7",
        ),
        (canary("aborted"), "canary 8 is aborted: nothing runs it, and stable 7 answers every request"),
    ],
    ids=["by pods", "by weight", "shadow", "promoted", "aborted"],
)
def test_preview_says_what_the_phase_means_and_how_it_ends(sections, words):
    (served,) = examples.config(**sections).served
    assert words in sentence(served, examples.artifact(), examples.candidate())

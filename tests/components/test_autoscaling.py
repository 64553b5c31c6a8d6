"""Scaling: bounded both ways, on a metric that every container defines, and never in the way of a drain."""

from tests.components.test_platform import deploy


def test_the_metric_is_the_servers_own_cpu_which_it_requests():
    deployed = deploy(autoscaling={"cpuPercent": 55})
    (metric,) = deployed.one("HorizontalPodAutoscaler").inputs["spec"]["metrics"]
    assert metric["type"] == "ContainerResource"
    source = metric["containerResource"]
    assert (source["name"], source["target"]) == ("cpu", {"type": "Utilization", "averageUtilization": 55})
    containers = deployed.one("Deployment").inputs["spec"]["template"]["spec"]["containers"]
    requests = {each["name"]: each["resources"]["requests"] for each in containers}
    assert "cpu" in requests[source["container"]]


def test_the_autoscaler_targets_the_deployment():
    deployed = deploy()
    target = deployed.one("HorizontalPodAutoscaler").inputs["spec"]["scaleTargetRef"]
    assert target == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": deployed.one("Deployment").inputs["metadata"]["name"],
    }


def test_pods_are_added_no_faster_than_they_load_and_removed_one_by_one():
    behavior = deploy(model={"loadSeconds": 90}).one("HorizontalPodAutoscaler").inputs["spec"]["behavior"]
    assert {policy["periodSeconds"] for policy in behavior["scaleUp"]["policies"]} == {90}
    (down,) = behavior["scaleDown"]["policies"]
    assert (down["type"], down["value"], down["periodSeconds"]) == ("Pods", 1, 180)
    windows = {side: rules["stabilizationWindowSeconds"] for side, rules in behavior.items()}
    assert windows == {"scaleUp": 22, "scaleDown": 450}


def test_windows_are_the_ones_asked_for():
    asked = {"scaleUpSeconds": 7, "scaleDownSeconds": 60}
    behavior = deploy(autoscaling=asked).one("HorizontalPodAutoscaler").inputs["spec"]["behavior"]
    assert {side: rules["stabilizationWindowSeconds"] for side, rules in behavior.items()} == {
        "scaleUp": 7,
        "scaleDown": 60,
    }


def test_a_drain_takes_one_pod_at_a_time_and_is_never_blocked_by_a_broken_one():
    budget = deploy(autoscaling={"minReplicas": 1}).one("PodDisruptionBudget").inputs["spec"]
    assert budget["maxUnavailable"] == 1
    assert "minAvailable" not in budget
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"

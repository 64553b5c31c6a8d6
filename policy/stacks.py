"""What is asked of a stack as a whole: who owns the number of pods, who guards them, and that their namespace is closed."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from policy.rule import UNKNOWN, Resource, StackRule, at, is_known, items, match_labels

_REPLICAS: Final = "spec.replicas"
_REMEDY: Final = "add a NetworkPolicy with an empty podSelector, policyTypes: [Ingress, Egress] and no rules, and open doors by name"

Breach = tuple[Resource, str]


def _replicas(resources: Sequence[Resource]) -> Iterator[Breach]:
    scaled = {_target(each) for each in resources if each.kind == "HorizontalPodAutoscaler"}
    for each in resources:
        is_owned = (each.kind, at(each.props, "metadata", "name")) in scaled
        if (
            is_owned
            and at(each.props, "spec", "replicas") is not None
            and _REPLICAS not in each.ignored_changes
        ):
            yield (
                each,
                f"{each.label}: it sets {_REPLICAS}, which its HorizontalPodAutoscaler owns; leave it out, or put it in ignore_changes",
            )


def _budgets(resources: Sequence[Resource]) -> Iterator[Breach]:
    budgets = [each for each in resources if each.kind == "PodDisruptionBudget"]
    if any(not is_known(at(each.props, "spec", "selector")) for each in budgets):
        return
    for each in _of_kind(resources, "Deployment"):
        guards = [budget.label for budget in budgets if _selects(budget, each)]
        if not guards:
            yield (
                each,
                f"{each.label}: no PodDisruptionBudget selects its pods; add one with maxUnavailable: 1",
            )
        if len(guards) > 1:
            # The eviction API answers 500 for a pod of two budgets: its node can never be drained.
            yield (
                each,
                f"{each.label}: {' and '.join(guards)} both select its pods, which blocks every drain; keep one",
            )


def _closed(resources: Sequence[Resource]) -> Iterator[Breach]:
    closed = {
        (_namespace(each), side) for each in _of_kind(resources, "NetworkPolicy") for side in _denied(each)
    }
    for each in (*_of_kind(resources, "Deployment"), *_of_kind(resources, "Job")):
        for side in ("Ingress", "Egress"):
            if not {(_namespace(each), side), (UNKNOWN, side)} & closed and is_known(_namespace(each)):
                yield (
                    each,
                    f"{each.label}: nothing denies {side} in its namespace; {_REMEDY}",
                )
                break


def _denied(policy: Resource) -> list[str]:
    """The sides that a policy closes for a whole namespace."""
    spec = at(policy.props, "spec")
    if match_labels(at(spec, "podSelector", "matchLabels")) or items(
        at(spec, "podSelector", "matchExpressions")
    ):
        return []
    return [side for side in items(at(spec, "policyTypes")) if not items(at(spec, str(side).lower()))]


def _selects(budget: Resource, deployment: Resource) -> bool:
    wanted = match_labels(at(budget.props, "spec", "selector", "matchLabels"))
    labels = match_labels(at(deployment.props, "spec", "template", "metadata", "labels"))
    same_place = _namespace(budget) == _namespace(deployment)
    return same_place and bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def _target(scaler: Resource) -> tuple[Any, Any]:
    target = at(scaler.props, "spec", "scaleTargetRef")
    return at(target, "kind"), at(target, "name")


def _namespace(resource: Resource) -> Any:  # noqa: ANN401 - a name, None or UNKNOWN
    return at(resource.props, "metadata", "namespace")


def _of_kind(resources: Sequence[Resource], kind: str) -> list[Resource]:
    return [each for each in resources if each.kind == kind and each.type.startswith("kubernetes:")]


RULES: Final = (
    StackRule(
        name="replicas-left-to-the-autoscaler",
        description="What an autoscaler scales does not set its own number of pods.",
        check=_replicas,
    ),
    StackRule(
        name="one-budget-per-deployment",
        description="Exactly one budget guards each Deployment.",
        check=_budgets,
    ),
    StackRule(
        name="namespace-closed", description="Namespaces with pods deny what no policy opens.", check=_closed
    ),
)

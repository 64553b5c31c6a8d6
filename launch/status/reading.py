"""From the answers of the sources to a report: what is declared, what runs, and where the two differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from launch.status import objects
from launch.status.objects import Json
from launch.status.report import Cluster, Model, Problem, Report
from launch.status.sources import (
    OWN_CONTEXT,
    Answer,
    Read,
    namespace_of,
    objects_words,
    outputs_words,
    own_cluster_words,
)


def read_report(stack: str, context: str | None, read: Read) -> Report:
    """Return the state of a stack; whatever does not answer becomes a part of it, with what to do."""
    cluster = (
        Cluster(context=context, state="running") if context else _own_cluster(read(own_cluster_words()))
    )
    declared = read(outputs_words(stack))
    outputs = declared.json() if declared.code == 0 else None
    if declared.code != 0 or not isinstance(outputs, dict):
        return Report(stack=stack, cluster=cluster, problems=(_no_stack(stack, context, declared),))
    models = tuple(_model(facts) for facts in outputs.get("models", {}).values())
    # A first update that did not get through leaves no outputs, but pods that can say why.
    namespace = str(outputs.get("namespace") or namespace_of(stack, read))
    if cluster.state in {"absent", "damaged"}:
        return Report(stack=stack, cluster=cluster, namespace=namespace, models=models)
    answer = read(objects_words(context, namespace))
    listed = answer.json() if answer.code == 0 else None
    if not isinstance(listed, dict):
        return Report(
            stack=stack, cluster=_unreachable(cluster.context, answer), namespace=namespace, models=models
        )
    return _running(stack, cluster, namespace, models, listed["items"])


def _running(
    stack: str, cluster: Cluster, namespace: str, declared: Sequence[Model], items: Sequence[Json]
) -> Report:
    deployments = {each["metadata"]["name"]: each for each in objects.of_kind(items, "Deployment")}
    models = tuple(_with_deployment(model, deployments) for model in declared)
    now = datetime.now(UTC)
    living = {each["metadata"]["name"] for each in items if each.get("kind") != "Event"}
    missing = [problem for model in models for problem in _differences(model)]
    if not models:
        missing.append(_nothing_deployed(stack, has_pods=bool(objects.of_kind(items, "Pod"))))
    return Report(
        stack=stack,
        cluster=cluster,
        namespace=namespace,
        models=models,
        pods=tuple(map(objects.pod, objects.of_kind(items, "Pod"))),
        autoscalers=tuple(
            objects.autoscaler(each, now) for each in objects.of_kind(items, "HorizontalPodAutoscaler")
        ),
        problems=(*missing, *objects.problems(items, now)),
        recent_warnings=tuple(objects.latest_warnings(items, living=living)),
    )


def _own_cluster(answer: Answer) -> Cluster:
    told = answer.json()
    if not isinstance(told, dict) or not told.get("components"):
        return Cluster(
            context=OWN_CONTEXT,
            state="absent",
            todo="start it with `bin/cluster up`, or everything with `bin/up`",
        )
    if not told.get("running"):
        dead = ", ".join(name for name, each in told["components"].items() if not each["alive"])
        return Cluster(
            context=told.get("context", OWN_CONTEXT),
            state="damaged",
            todo=f"repair it with `bin/cluster up` ({dead or 'the node'} does not run)",
        )
    return Cluster(context=told.get("context", OWN_CONTEXT), state="running")


def _unreachable(context: str, answer: Answer) -> Cluster:
    todo = f"check the kubeconfig context {context} ({answer.last_words()}); try `kubectl --context {context} version`"
    return Cluster(context=context, state="unreachable", todo=todo)


def _nothing_deployed(stack: str, *, has_pods: bool) -> Problem:
    if has_pods:
        what = "its first update has not got through"
        todo = f"see what is wrong with its pods, mend it, and `bin/pulumi up --stack {stack}`"
    else:
        what, todo = "nothing is deployed", f"deploy it with `bin/up`, or `bin/pulumi up --stack {stack}`"
    return Problem(where=f"stack {stack}", what=what, todo=todo)


def _no_stack(stack: str, context: str | None, answer: Answer) -> Problem:
    up = "bin/up" if context is None else f"bin/up --context {context} --registry REGISTRY"
    todo = f"deploy it with `{up}`, or see `bin/pulumi stack ls` for the stacks there are"
    return Problem(where=f"stack {stack}", what=answer.last_words(), todo=todo)


def _model(facts: Mapping[str, Any]) -> Model:
    return Model(
        name=str(facts["model"]),
        version=int(facts["model_version"]),
        digest=str(facts["model_digest"]),
        image=str(facts["image"]),
        accuracy=facts.get("accuracy"),
        rest_url=str(facts["rest_url"]),
        grpc_target=str(facts["grpc_target"]),
        deployment=str(facts["service"]),
    )


def _with_deployment(model: Model, deployments: Mapping[str, Json]) -> Model:
    found = deployments.get(model.deployment)
    if found is None:
        return model
    status = found.get("status", {})
    return model.as_served(
        digest=objects.deployment_digest(found),
        ready_pods=status.get("readyReplicas", 0),
        wanted_pods=found["spec"].get("replicas", 1),
    )


def _differences(model: Model) -> list[Problem]:
    where = f"model {model.name}"
    if not model.served_digest:
        what = "its Deployment is not in the cluster, though the stack says so"
        return [
            Problem(where=where, what=what, todo="`bin/pulumi up --refresh`, or `bin/up`, which looks first")
        ]
    found = []
    if model.served_digest != model.digest:
        what = f"the cluster was told to serve {model.served_digest}, the stack says {model.digest}"
        todo = "someone else changed it, or an update broke off: `bin/pulumi up --refresh`"
        found.append(Problem(where=where, what=what, todo=todo))
    if model.ready_pods < model.wanted_pods:
        what = f"{model.ready_pods} of {model.wanted_pods} pods are ready"
        found.append(
            Problem(
                where=where, what=what, todo="the pods' reasons are below; `bin/status` again in a moment"
            )
        )
    return found

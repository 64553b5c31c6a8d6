"""The door in front of the gRPC methods: each is wrapped by its rule, the same on every transport.

The name of a model is inside the message, which is read here by protobuf's own parser, as the method reads
it: a hand-made reader could be told another name than the method. Every method must have a rule, or the server does not start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message

from serving import open_inference
from serving.access.door import Door, require, sign
from serving.access.policy import DESCRIBE, INFER, RELOAD, Identity, Policy
from serving.calls import Call
from serving.errors import ServingError, SettingsError
from serving.grpc.calls import Cancel, Counted, Finish, Method, forget
from serving.metrics import Metrics
from serving.protos import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a method does, and with which models."""

    verb: str
    message: type[Message]
    models: Callable[[Any], list[str]]


def _spec(request: Any) -> list[str]:  # noqa: ANN401 - each method has a class of its own
    return [request.model_spec.name]


def _tasks(request: Any) -> list[str]:  # noqa: ANN401
    return [task.model_spec.name for task in request.tasks]


_PREDICTION, _MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"
_Admission = tuple[Mapping[str, str], Policy, tuple[str, ...], tuple[Identity, Mapping[str, str]]]
_MOST_ADMISSIONS = 256
OPEN_METHODS = frozenset(
    {
        "/grpc.health.v1.Health/Check",
        *(f"/{open_inference.SERVICE}/{name}" for name in ("ServerLive", "ServerReady", "ServerMetadata")),
    }
)
RULES: Mapping[str, Rule] = {
    f"{_PREDICTION}Predict": Rule(verb=INFER, message=predict_pb2.PredictRequest, models=_spec),
    f"{_PREDICTION}Classify": Rule(
        verb=INFER, message=classification_pb2.ClassificationRequest, models=_spec
    ),
    f"{_PREDICTION}Regress": Rule(verb=INFER, message=regression_pb2.RegressionRequest, models=_spec),
    f"{_PREDICTION}MultiInference": Rule(
        verb=INFER, message=inference_pb2.MultiInferenceRequest, models=_tasks
    ),
    f"{_PREDICTION}GetModelMetadata": Rule(
        verb=DESCRIBE, message=get_model_metadata_pb2.GetModelMetadataRequest, models=_spec
    ),
    f"{_MODEL}GetModelStatus": Rule(
        verb=DESCRIBE, message=get_model_status_pb2.GetModelStatusRequest, models=_spec
    ),
    f"/{open_inference.SERVICE}/ModelInfer": Rule(
        verb=INFER, message=open_inference.ModelInferRequest, models=lambda request: [request.model_name]
    ),
    f"/{open_inference.SERVICE}/ModelReady": Rule(
        verb=DESCRIBE, message=open_inference.ModelReadyRequest, models=lambda request: [request.name]
    ),
    f"/{open_inference.SERVICE}/ModelMetadata": Rule(
        verb=DESCRIBE, message=open_inference.ModelMetadataRequest, models=lambda request: [request.name]
    ),
    f"{_MODEL}HandleReloadConfigRequest": Rule(
        verb=RELOAD, message=model_management_pb2.ReloadConfigRequest, models=lambda _: [""]
    ),
}


def guard_methods(methods: Mapping[str, Method], door: Door, metrics: Metrics) -> dict[str, Method]:
    """The same methods, each behind the door. Raises SettingsError for one that has no rule."""
    unruled = sorted(methods.keys() - RULES.keys() - OPEN_METHODS)
    if unruled:
        raise SettingsError(f"expected a rule for every method, got none for {', '.join(unruled)}")
    admissions = Admissions(door)
    return {
        path: method if path in OPEN_METHODS else _guard(method, RULES[path], admissions, metrics)
        for path, method in methods.items()
    }


class Admissions:
    """Who sent a call, remembered for calls with the same headers and certificate.

    Our transport gives all calls of a connection whose headers are the same bytes one object of metadata; who that is
    holds for as long as the same policy does. Only the first of them costs a digest and its comparisons.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._known: dict[int, _Admission] = {}

    def identify(self, call: Call) -> tuple[Identity, Mapping[str, str]]:
        """The sender, and the metadata that its call goes on with. Raises Unauthenticated."""
        policy, names = self._door.policy, call.certificate_names
        known = self._known.get(id(call.metadata))
        # An object that is kept here keeps its number, so an equal number is the same object. The certificate is
        # compared as well: nothing says that connections may not share a head.
        if known is not None and known[0] is call.metadata and known[1] is policy and known[2] == names:
            return known[3]
        identity = self._door.identify(call.metadata, names)
        admitted = identity, sign(call.metadata, identity)
        if len(self._known) >= _MOST_ADMISSIONS:
            self._known.clear()
        self._known[id(call.metadata)] = call.metadata, policy, names, admitted
        return admitted


def _guard(method: Method, rule: Rule, admissions: Admissions, metrics: Metrics) -> Method:
    def guarded(message: bytes, call: Call, finish: Finish) -> Cancel:
        try:
            identity, metadata = admissions.identify(call)
            if call.trace is not None:
                call.trace.caller = identity.name
            for model in _read_models(rule, message):
                require(identity, rule.verb, model)
        except ServingError as error:
            Counted(metrics, "refused", finish)(None, error)
            return forget
        return method(message, Call(deadline=call.deadline, metadata=metadata, trace=call.trace), finish)

    return guarded


def _read_models(rule: Rule, message: bytes) -> list[str]:
    try:
        return rule.models(rule.message.FromString(message))
    except DecodeError:
        return []  # the method itself says what is wrong with it

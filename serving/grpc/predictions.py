"""PredictionService.Predict from message to message: the hot path.

message of a known form ──> its question, without parsing ──┐
any other message ──parse, check──> question, form learnt ──┴──> pipeline ──> response
"""

from functools import partial

from serving.calls import Call
from serving.desk import Question
from serving.errors import InvalidRequest, ServingError
from serving.grpc.calls import Cancel, Counted, Finish, forget
from serving.grpc.forms import Form, Forms, choice_of
from serving.grpc.predict import AnswerWriter, read_question
from serving.grpc.specs import parse_message
from serving.metrics import Metrics
from serving.pipeline import Exchange, Pipeline
from serving.protos import predict_pb2
from serving.repository import Repository
from serving.settings import ServingSettings
from serving.tallies import Series

_KIND, _METHOD = "grpc predict", "predict"


class Predictions:
    """Answers Predict for all models."""

    def __init__(
        self, repository: Repository, pipeline: Pipeline, metrics: Metrics, settings: ServingSettings
    ) -> None:
        self._repository = repository
        self._pipeline = pipeline
        self._metrics = metrics
        self._as_content = settings.enable_serialization_as_tensor_content
        self._limit_bytes = settings.max_request_bytes
        self._forms = Forms()
        self._series: dict[str, Series] = {}
        """Where requests to each model are counted; only names of models that are configured come here."""

    def predict(self, message: bytes, call: Call, finish: Finish) -> Cancel:
        """A `Method`."""
        counted = Counted(self._metrics, _METHOD, finish)
        try:
            form = self._forms.find(message)
            exchange = None if form is None else self._known(form, message, call)
            exchange = exchange or self._unknown(message, call)
        except ServingError as error:
            counted(None, error)
            return forget
        name = counted.model = exchange.servable.name
        series = self._series.get(name)
        if series is None:
            series = self._series[name] = self._metrics.requests.series((name, _METHOD, "grpc"))
        counted.series = series
        return self._pipeline.begin(exchange, counted)

    def _known(self, form: Form, message: bytes, call: Call) -> Exchange | None:
        """None when the form was learnt from another load than the one that is meant now."""
        servable = self._repository.resolve(*form.choice)
        if servable.serial != form.serial:
            return None
        return Exchange(
            servable=servable,
            call=call,
            kind=_KIND,
            message=message,
            parse=partial(form.read, message),  # a lambda would be one call more
            render=form.writer.write,
        )

    def _unknown(self, message: bytes, call: Call) -> Exchange:
        request = parse_message(predict_pb2.PredictRequest, message)
        if not request.HasField("model_spec"):
            raise InvalidRequest("Missing ModelSpec")
        servable = self._repository.resolve(*choice_of(request))
        writer = AnswerWriter(name=servable.name, version=servable.version, as_content=self._as_content)

        def parse() -> Question:
            question = read_question(servable, request, limit_bytes=self._limit_bytes)
            self._forms.learn(message, request, question, serial=servable.serial, writer=writer)
            return question

        return Exchange(
            servable=servable,
            call=call,
            kind=_KIND,
            message=message,
            parse=parse,
            render=writer.write,
        )

"""Health.Watch and reflection on both transports, asked by gRPC's own clients."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from serving.errors import InvalidRequest
from serving.grpc.aio import GrpcServer
from serving.grpc.framed import FramedServer
from serving.grpc.health import Watch
from serving.grpc.reflection import SERVICES, Reflection
from serving.grpc.streaming import streaming_methods
from serving.settings import ServingSettings

Transport = type[GrpcServer] | type[FramedServer]
STABLE, ALPHA = (f"/{service}/ServerReflectionInfo" for service in SERVICES)
PREDICT = "/tensorflow.serving.PredictionService/Predict"
INFER = "/inference.GRPCInferenceService/ModelInfer"
Status = health_pb2.HealthCheckResponse


@pytest.fixture(params=[GrpcServer, FramedServer], ids=["grpcio", "http2"])
def transport(request: pytest.FixtureRequest) -> Transport:
    return request.param  # type: ignore[no-any-return]


@asynccontextmanager
async def serving(transport: Transport, is_ready: Callable[[], bool] = lambda: True) -> AsyncIterator[int]:
    table = streaming_methods([PREDICT, INFER], is_ready=is_ready)
    server = transport({}, ServingSettings(), table)
    port = await server.listen("127.0.0.1", 0)
    await server.start()
    yield port
    await server.close(grace_seconds=0.1)


def look_up(port: int, symbol: str) -> tuple[list[str], list[str]]:
    """As a client does that knows nothing: the services, and the fields of a message."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)
        message = pool.FindMessageTypeByName(symbol)
        return sorted(database.get_services()), [field.name for field in message.fields]


async def test_a_client_that_knows_nothing_finds_services_and_messages(transport: Transport) -> None:
    async with serving(transport) as port:
        services, fields = await asyncio.to_thread(look_up, port, "tensorflow.serving.PredictRequest")
    assert services == sorted(
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "inference.GRPCInferenceService",
            "tensorflow.serving.PredictionService",
        ]
    )
    assert fields[:3] == ["model_spec", "inputs", "output_filter"]


@pytest.mark.parametrize("path", [STABLE, ALPHA])
async def test_both_versions_of_reflection_answer_alike(transport: Transport, path: str) -> None:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async with (
        serving(transport) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        call = channel.stream_stream(path)(iter([request.SerializeToString()] * 2), timeout=10)
        answers = [reflection_pb2.ServerReflectionResponse.FromString(answer) async for answer in call]
    assert len(answers) == 2
    assert answers[0].list_services_response.service[0].name == "grpc.health.v1.Health"


def reflect(**question: str) -> reflection_pb2.ServerReflectionResponse:
    request = reflection_pb2.ServerReflectionRequest(**question)
    answer = Reflection(["a.B"]).answer(request.SerializeToString())
    return reflection_pb2.ServerReflectionResponse.FromString(answer)


@pytest.mark.parametrize(
    "symbol",
    [
        *SERVICES,
        "grpc.health.v1.Health",
        "tensorflow.serving.PredictionService.Predict",
        "tensorflow.serving.ModelService",
        "inference.GRPCInferenceService",
    ],
)
def test_the_file_of_every_service_is_known_with_all_that_it_imports(symbol: str) -> None:
    files = reflect(file_containing_symbol=symbol).file_descriptor_response.file_descriptor_proto
    pool = DescriptorPool()
    waiting = list(files)
    for _ in range(len(waiting)):  # imports first, whatever the order
        for file in list(waiting):
            try:
                pool.AddSerializedFile(file)
            except (TypeError, KeyError):
                continue
            waiting.remove(file)
    assert not waiting
    assert symbol in {
        name
        for file in files
        for service in pool.FindFileByName(
            FileDescriptorProto.FromString(file).name
        ).services_by_name.values()
        for name in (service.full_name, *(f"{service.full_name}.{method.name}" for method in service.methods))
    }


def test_a_file_is_found_by_its_name() -> None:
    files = reflect(file_by_filename="grpc/reflection/v1/reflection.proto")
    assert len(files.file_descriptor_response.file_descriptor_proto) == 1


@pytest.mark.parametrize(
    "question", ["file_by_filename", "file_containing_symbol", "all_extension_numbers_of_type"]
)
def test_an_unknown_name_is_not_found_and_the_call_goes_on(question: str) -> None:
    assert reflect(**{question: "no.such"}).error_response.error_code == 5


def test_a_message_without_extensions_has_none() -> None:
    answer = reflect(all_extension_numbers_of_type="tensorflow.TensorProto")
    assert answer.all_extension_numbers_response.base_type_name == "tensorflow.TensorProto"
    assert not answer.all_extension_numbers_response.extension_number


def test_a_request_that_asks_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="expected a question"):
        Reflection([]).answer(b"")


@pytest.mark.parametrize(
    ("service", "status"),
    [
        ("", Status.SERVING),
        ("tensorflow.serving.ModelService", Status.SERVING),
        ("other", Status.SERVICE_UNKNOWN),
    ],
)
async def test_a_watch_tells_the_status_at_once(transport: Transport, service: str, status: int) -> None:
    async with (
        serving(transport) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        call = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service=service), timeout=10
        )
        assert (await call.read()).status == status
        call.cancel()


class Listener:
    """A `Conversation` whose caller asks for the whole server and then only listens."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self._questions = [health_pb2.HealthCheckRequest().SerializeToString()]

    async def receive(self) -> bytes | None:
        return self._questions.pop() if self._questions else None

    async def send(self, message: bytes) -> None:
        self.told.append(Status.FromString(message).status)


async def test_a_watch_tells_each_change_once() -> None:
    states = [False, False, True, True, True, False]
    listener = Listener()

    async def pause() -> None:
        if len(states) == 1:
            raise asyncio.CancelledError
        states.pop(0)

    with pytest.raises(asyncio.CancelledError):
        await Watch(lambda: states[0], pause=pause).serve(listener)
    assert listener.told == [Status.NOT_SERVING, Status.SERVING, Status.NOT_SERVING]


async def test_a_watch_without_a_question_is_refused(transport: Transport) -> None:
    async with (
        serving(transport) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        call = channel.stream_stream("/grpc.health.v1.Health/Watch")(iter([]), timeout=10)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT

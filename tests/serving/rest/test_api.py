"""What a REST client sees, from the request to the response, over a fake backend."""

import json
from pathlib import Path
from typing import Any

import pytest

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.http1 import Request, Response
from serving.metrics import Metrics
from serving.pipeline import Pipeline
from serving.rest import RestApi
from serving.settings import ServingSettings
from tests.serving.worlds import double_repository


class World:
    def __init__(self) -> None:
        self.metrics = Metrics()

    async def open(self, folder: Path, **repository: Any) -> "World":
        self.repository = await double_repository(folder, metrics=self.metrics, **repository)
        self.api = RestApi(
            self.repository,
            Pipeline(ServingSettings(), self.metrics),
            self.metrics,
            timeout_seconds=10,
            routes={"/livez": lambda _request: Response(body=b"ok")},
        )
        return self

    async def ask(self, method: str, path: str, body: Any = b"") -> tuple[int, Any]:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = await self.api.handle(Request(method=method, path=path, query="", headers={}, body=text))
        return response.status, json.loads(
            response.body
        ) if response.content_type == "application/json" else response


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World().open(tmp_path)


PREDICT = "/v1/models/double:predict"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        pytest.param({"instances": [[1, 2], [3, 4]]}, {"predictions": [[2.0, 4.0], [6.0, 8.0]]}, id="rows"),
        pytest.param({"instances": [{"x": [1, 2]}]}, {"predictions": [[2.0, 4.0]]}, id="named rows"),
        pytest.param({"inputs": [[1, 2]]}, {"outputs": [[2.0, 4.0]]}, id="columns"),
        pytest.param(
            {"signature_name": "pair", "instances": [{"a": 1, "b": '"instances"'}]},
            {"predictions": [{"sum": 2.0, "text": '"INSTANCES"'}]},
            id="a value that looks like a key",
        ),
        pytest.param({"inputs": {"x": [[1, 2]]}}, {"outputs": [[2.0, 4.0]]}, id="named columns"),
        pytest.param(
            {"signature_name": "pair", "instances": [{"a": 1, "b": "q"}, {"a": 2, "b": {"b64": "cg=="}}]},
            {"predictions": [{"sum": 2.0, "text": "Q"}, {"sum": 3.0, "text": "R"}]},
            id="several inputs and outputs in rows",
        ),
        pytest.param(
            {"signature_name": "pair", "inputs": {"a": [1], "b": ["q"]}},
            {"outputs": {"sum": [2.0], "text": ["Q"]}},
            id="several inputs and outputs in columns",
        ),
    ],
)
async def test_predict_answers_in_the_format_of_its_question(world: World, body: Any, answer: Any) -> None:
    assert await world.ask("POST", PREDICT, body) == (200, answer)


async def test_a_version_can_be_named(world: World) -> None:
    status, _ = await world.ask("POST", "/v1/models/double/versions/3:predict", {"instances": [[1, 2]]})
    assert status == 200


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        pytest.param(b"", "JSON Parse error: The document is empty", id="empty"),
        pytest.param(b"{", "JSON Parse error: ", id="no JSON"),
        pytest.param(b"[1]", "JSON Value: [1] Is not object", id="no object"),
        pytest.param(
            b'{"instances":[1' + b"0" * 100_000 + b"]}", "JSON Parse error", id="a number of 100,000 digits"
        ),
        pytest.param(b'{"instances":' + b"[" * 100_000, "JSON Parse error", id="deep and not closed"),
        pytest.param(
            b'{"instances":' + b"[" * 900 + b"1" + b"]" * 900 + b"}", "at most 64 nested lists", id="too deep"
        ),
        pytest.param(b'{"instances":[[1,2]],"instances":[[3,4]]}', 'got "instances" twice', id="a key twice"),
        pytest.param({}, "Missing 'inputs' or 'instances' key", id="neither key"),
        pytest.param(
            {"inputs": 1, "instances": 1}, "expecting only one of 'inputs' or 'instances'", id="both keys"
        ),
        pytest.param({"instances": 1}, "Excepting 'instances' to be an list/array", id="no list"),
        pytest.param({"instances": []}, "No values in 'instances' array", id="no rows"),
        pytest.param(
            {"signature_name": 1, "instances": [1]}, "'signature_name' key must be a string", id="signature"
        ),
        pytest.param(
            {"signature_name": "nope", "instances": [1]},
            'Serving signature name: "nope" not found in signature def; it has: broken, pair, serving_default',
            id="unknown signature",
        ),
        pytest.param(
            {"instances": [[1]]},
            "input x must be of type float and shape [-1,2], got shape [1,1]",
            id="shape",
        ),
        pytest.param(
            {"instances": [["a", "b"]]},
            'JSON Value: "a" Type: String is not of expected type: float',
            id="type",
        ),
        pytest.param({"instances": [{"y": [1, 2]}]}, "keys must be equal to: x", id="wrong row key"),
        pytest.param(
            {"instances": [{"x": [1, 2]}, [1, 2]]}, "Expecting object but got list at item 1", id="mixed"
        ),
        pytest.param(
            {"instances": [[1, 2], {"x": [1, 2]}]},
            "Expecting value/list but got object at item 1",
            id="mixed 2",
        ),
        pytest.param(
            {"inputs": {"y": 1}}, "Missing named input: x in 'inputs' object.", id="wrong column key"
        ),
        pytest.param(
            {"signature_name": "pair", "instances": [1]}, "instances is a plain list, but", id="plain rows"
        ),
        pytest.param(
            {"signature_name": "pair", "inputs": [1]}, "inputs is a plain value/list, but", id="plain columns"
        ),
    ],
)
async def test_a_wrong_body_is_refused_in_tensorflow_servings_words(
    world: World, body: Any, complaint: str
) -> None:
    status, answer = await world.ask("POST", PREDICT, body)
    assert status == 400
    assert complaint in answer["error"]
    assert list(answer) == ["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "complaint"),
    [
        ("POST", "/v1/models/nope:predict", 404, "Servable not found for request: Latest(nope)"),
        (
            "POST",
            "/v1/models/double/versions/9:predict",
            404,
            "Servable not found for request: Specific(double, 9)",
        ),
        ("POST", "/v1/models/double/labels/x:predict", 400, "Unrecognized servable version label: x"),
        ("GET", "/v1/models/nope", 404, "Could not find any versions of model nope"),
        ("GET", "/v1/models/double/versions/9", 404, "Could not find version 9 of model double"),
        ("GET", "/v1/models/nope/metadata", 404, "Servable not found for request: Latest(nope)"),
        ("GET", PREDICT, 400, "Malformed request: GET /v1/models/double:predict"),
        ("PUT", PREDICT, 400, "Malformed request: PUT"),
        ("POST", "/v1/models/double:explain", 400, "Malformed request: POST"),
        ("POST", "/v1/models/a%2Fb:predict", 400, "Malformed request"),
        ("POST", "/v1/models/..:predict", 400, "Malformed request"),
        ("POST", "/v1/models/%2e%2e:predict", 400, "Malformed request"),
        ("POST", "/v1/models/double/versions/99999999999999999999:predict", 400, "Failed to convert version"),
        ("GET", "/v1/models", 400, "Malformed request"),
        ("GET", "/", 404, "Not found: GET /"),
        ("GET", "/v3", 404, "Not found"),
    ],
)
async def test_a_wrong_path_is_refused(
    world: World, method: str, path: str, status: int, complaint: str
) -> None:
    answered, answer = await world.ask(method, path, {"instances": [[1, 2]]})
    assert (answered, complaint in answer["error"]) == (status, True), answer


async def test_status_lists_the_versions_as_tensorflow_serving_prints_them(world: World) -> None:
    expected = {
        "model_version_status": [
            {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }
    assert await world.ask("GET", "/v1/models/double") == (200, expected)
    assert await world.ask("GET", "/v1/models/double/versions/3") == (200, expected)


async def test_metadata_prints_the_signatures(world: World) -> None:
    status, document = await world.ask("GET", "/v1/models/double/metadata")
    assert status == 200
    assert document["model_spec"] == {"name": "double", "signature_name": "", "version": "3"}
    inputs = document["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]
    assert inputs["x"]["dtype"] == "DT_FLOAT"
    assert [axis["size"] for axis in inputs["x"]["tensor_shape"]["dim"]] == ["-1", "2"]


async def test_a_defect_is_an_answer_without_its_trace(world: World) -> None:
    status, answer = await world.ask("POST", PREDICT, {"signature_name": "broken", "instances": [1]})
    assert (status, answer) == (500, {"error": "the model failed; the server's log has the details"})


async def test_an_answer_that_takes_too_long_is_504(tmp_path: Path) -> None:
    import threading

    release = threading.Event()
    described = signature([spec("x", "float", (None,))], [spec("y", "float", (None,))])

    def wait(inputs: Any) -> Any:
        release.wait(10)
        return {"y": inputs["x"]}

    world = await World().open(tmp_path, backend=lambda: FakeBackend([described], wait))
    world.api = RestApi(
        world.repository,
        Pipeline(ServingSettings(), world.metrics),
        world.metrics,
        timeout_seconds=0.01,
        routes={},
    )
    status, answer = await world.ask("POST", PREDICT, {"instances": [1]})
    release.set()
    assert status == 504
    assert "deadline" in answer["error"]


async def test_routes_beside_the_api_are_served(world: World) -> None:
    response = await world.api.handle(Request(method="GET", path="/livez", query="", headers={}, body=b""))
    assert response.body == b"ok"


async def test_strangers_cannot_grow_the_number_of_metrics(world: World) -> None:
    for number in range(50):
        await world.ask("POST", f"/v1/models/m{number}:predict", {"instances": [1]})
        await world.ask("POST", f"/v1/nonsense/{number}")
    series = [
        line for line in world.metrics.page().decode().splitlines() if line.startswith("tfsp_requests_total")
    ]
    assert sorted(series) == [
        'tfsp_requests_total{code="400",method="malformed",model="other",transport="rest"} 50.0',
        'tfsp_requests_total{code="404",method="predict",model="other",transport="rest"} 50.0',
    ]

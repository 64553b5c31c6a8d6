"""The Open Inference Protocol, as a KServe client sees it."""

from pathlib import Path
from typing import Any

import pytest

from tests.serving.rest.test_api import World

INFER = "/v2/models/double/infer"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World().open(tmp_path)


def tensor(name: str = "x", **changes: Any) -> dict[str, Any]:
    return {"name": name, "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]} | changes


ANSWER = {"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [2.0, 4.0, 6.0, 8.0]}


@pytest.mark.parametrize("data", [[1, 2, 3, 4], [[1, 2], [3, 4]]], ids=["flat", "nested"])
async def test_a_question_is_answered(world: World, data: Any) -> None:
    status, answer = await world.ask("POST", INFER, {"id": "q", "inputs": [tensor(data=data)]})
    assert status == 200
    assert answer == {"model_name": "double", "model_version": "3", "id": "q", "outputs": [ANSWER]}


async def test_strings_are_bytes(world: World) -> None:
    inputs = [
        {"name": "a", "shape": [1], "datatype": "FP32", "data": [1]},
        {"name": "b", "shape": [1], "datatype": "BYTES", "data": ["q"]},
    ]
    parameters = {"signature_name": "pair"}
    status, answer = await world.ask(
        "POST", INFER, {"parameters": parameters, "inputs": inputs, "outputs": [{"name": "text"}]}
    )
    assert status == 200
    assert answer["outputs"] == [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["Q"]}]
    assert "id" not in answer


async def test_a_version_can_be_named(world: World) -> None:
    status, _ = await world.ask("POST", "/v2/models/double/versions/3/infer", {"inputs": [tensor()]})
    assert status == 200


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        pytest.param({}, 'expected "inputs" to be a list of tensors', id="no inputs"),
        pytest.param({"inputs": [1]}, 'expected "inputs" to be a list of tensors', id="no tensor"),
        pytest.param({"inputs": [tensor("z")]}, 'expected the inputs x, got ["z"]', id="another name"),
        pytest.param({"inputs": [tensor(), tensor()]}, "expected the inputs x, got", id="twice"),
        pytest.param({"inputs": [tensor(datatype="INT8")]}, "must have datatype FP32", id="datatype"),
        pytest.param(
            {"inputs": [tensor(shape=[2, -1])]}, "must have datatype FP32 and a shape like", id="negative"
        ),
        pytest.param(
            {"inputs": [tensor(shape=[True, 2])]}, "must have datatype FP32 and a shape like", id="no number"
        ),
        pytest.param({"inputs": [tensor(shape=[1, 4])]}, "shape [-1,2], got shape [1,4]", id="shape"),
        pytest.param(
            {"inputs": [tensor(shape=[3, 2])]}, "must have 6 values, as its shape says, got 4", id="size"
        ),
        pytest.param(
            {"inputs": [tensor(data=[[1], [2], [3], [4]])]}, "in shape [4,1]", id="nested otherwise"
        ),
        pytest.param({"inputs": [tensor(data="1")]}, "data as a list", id="no list"),
        pytest.param(
            {"inputs": [tensor()], "outputs": [{"name": "z"}]}, "expected some of the outputs y", id="output"
        ),
        pytest.param({"inputs": [tensor()], "outputs": 1}, "expected some of the outputs y", id="outputs"),
        pytest.param(
            {"parameters": {"signature_name": 1}}, "parameters.signature_name must be text", id="signature"
        ),
        pytest.param(
            {"parameters": {"signature_name": "nope"}}, 'Serving signature name: "nope"', id="unknown"
        ),
    ],
)
async def test_a_wrong_question_is_refused(world: World, body: Any, complaint: str) -> None:
    status, answer = await world.ask("POST", INFER, body)
    assert (status, complaint in answer["error"]) == (400, True), answer


async def test_metadata_lists_versions_and_tensors(world: World) -> None:
    assert await world.ask("GET", "/v2/models/double") == (
        200,
        {
            "name": "double",
            "versions": ["3"],
            "platform": "tensorflow_savedmodel",
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
            "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
        },
    )


@pytest.mark.parametrize(
    ("path", "status", "document"),
    [
        ("/v2", 200, {"name": "tf-serving-platform", "version": "2", "extensions": ["binary_tensor_data"]}),
        ("/v2/health/live", 200, {"live": True}),
        ("/v2/health/ready", 200, {"ready": True}),
        ("/v2/models/double/ready", 200, {"name": "double", "ready": True}),
        ("/v2/models/nope/ready", 404, {"error": "Servable not found for request: Latest(nope)"}),
        (
            "/v2/models/double/versions/9",
            404,
            {"error": "Servable not found for request: Specific(double, 9)"},
        ),
        ("/v2/models/a%2fb", 404, {"error": "Not found: GET /v2/models/a%2fb"}),
        ("/v2/models/double/infer", 404, {"error": "Not found: GET /v2/models/double/infer"}),
        ("/v2/nonsense", 404, {"error": "Not found: GET /v2/nonsense"}),
    ],
)
async def test_the_other_paths_are_answered(world: World, path: str, status: int, document: Any) -> None:
    assert await world.ask("GET", path) == (status, document)

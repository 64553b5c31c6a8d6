"""The binary tensor data extension of the Open Inference Protocol, over a fake backend."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.http1 import Request, Response
from serving.pipeline import Pipeline
from serving.rest import RestApi
from serving.settings import ServingSettings
from tests.serving.rest.test_api import World

INFER = "/v2/models/double/infer"
HEADER = "inference-header-content-length"
ROWS = np.array([[1, 2], [3, 4]], np.float32)


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World().open(tmp_path)


async def ask(world: World, document: Any, binary: bytes = b"", *, header: str | None = None) -> Response:
    head = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {HEADER: str(len(head)) if header is None else header}
    return await world.api.handle(
        Request(method="POST", path=INFER, query="", headers=headers, body=head + binary)
    )


def split(response: Response) -> tuple[Any, bytes]:
    (length,) = [int(value) for name, value in response.headers if name.lower() == HEADER]
    assert response.content_type == "application/octet-stream"
    return json.loads(response.body[:length]), response.body[length:]


def tensor(name: str = "x", *, size: Any = 16, **changes: Any) -> dict[str, Any]:
    entry = {"name": name, "shape": [2, 2], "datatype": "FP32", "parameters": {"binary_data_size": size}}
    return entry | changes


async def test_bytes_go_in_and_json_comes_out(world: World) -> None:
    response = await ask(world, {"inputs": [tensor()]}, ROWS.tobytes())
    assert (response.status, response.content_type) == (200, "application/json")
    assert json.loads(response.body)["outputs"][0]["data"] == [2, 4, 6, 8]


async def test_bytes_come_out_where_they_are_asked_for(world: World) -> None:
    asked = {"id": "q", "inputs": [tensor()], "parameters": {"binary_data_output": True}}
    for _ in range(2):
        document, binary = split(await ask(world, asked, ROWS.tobytes()))
        assert document["id"] == "q"
        (output,) = document["outputs"]
        assert output == {
            "name": "y",
            "datatype": "FP32",
            "shape": [2, 2],
            "parameters": {"binary_data_size": 16},
        }
        assert np.frombuffer(binary, np.float32).tolist() == [2, 4, 6, 8]


async def test_json_may_go_in_and_bytes_come_out(world: World) -> None:
    entry = {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}
    body = json.dumps({"inputs": [entry], "outputs": [{"name": "y", "parameters": {"binary_data": True}}]})
    request = Request(method="POST", path=INFER, query="", headers={}, body=body.encode())
    _, binary = split(await world.api.handle(request))
    assert np.frombuffer(binary, np.float32).tolist() == [2, 4, 6, 8]


PAIR = [
    {"name": "b", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 10}},
    {"name": "a", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}},
]
PAIR_BYTES = b"\1\0\0\0q\1\0\0\0r" + np.array([1, 2], np.float32).tobytes()


async def test_inputs_and_outputs_are_mixed_as_each_says(world: World) -> None:
    asked = {
        "parameters": {"signature_name": "pair", "binary_data_output": True},
        "inputs": PAIR,
        "outputs": [{"name": "text"}, {"name": "sum", "parameters": {"binary_data": False}}],
    }
    document, binary = split(await ask(world, asked, PAIR_BYTES))
    assert binary == b"\1\0\0\0Q\1\0\0\0R"
    assert [entry.get("data") for entry in document["outputs"]] == [None, [2, 3]]


async def test_equal_bytes_that_are_divided_otherwise_are_another_question(world: World) -> None:
    settings = ServingSettings(accuracy_start=0)  # so that answers are kept
    world.api = RestApi(
        world.repository,
        Pipeline(settings, world.metrics),
        world.metrics,
        timeout_seconds=10,
        routes={},
    )
    document = json.dumps({"inputs": [tensor()]}).encode()
    assert (await ask(world, document, ROWS.tobytes())).status == 200
    assert (await ask(world, document, ROWS.tobytes(), header=str(len(document) + 1))).status == 400


@pytest.mark.parametrize(
    ("document", "binary", "complaint"),
    [
        pytest.param({"inputs": [tensor(size=15)]}, b"x" * 15, "must have 16 bytes", id="too few"),
        pytest.param({"inputs": [tensor()]}, b"x" * 17, "expected 16 bytes behind the JSON", id="too many"),
        pytest.param(
            {"inputs": [tensor(size=2**62)]}, b"x" * 16, "bytes behind the JSON", id="more than there is"
        ),
        pytest.param({"inputs": [tensor(size=-1)]}, b"", "must be a number of bytes", id="negative"),
        pytest.param({"inputs": [tensor(size=True)]}, b"", "must be a number of bytes", id="no number"),
        pytest.param({"inputs": [tensor(data=[1])]}, b"x" * 16, "without data beside it", id="both"),
        pytest.param({"inputs": [tensor(shape=[2**40, 2])]}, b"x" * 16, "must be at most", id="a bomb"),
        pytest.param({"inputs": [tensor(shape=[2, 3])]}, b"x" * 24, "got shape [2,3]", id="shape"),
        pytest.param(
            {"inputs": [tensor(datatype="FP64")]}, b"x" * 32, "must have datatype FP32", id="datatype"
        ),
        pytest.param(
            {"inputs": [tensor()], "parameters": {"binary_data_output": 1}},
            ROWS.tobytes(),
            "must be true or false",
            id="flag",
        ),
    ],
)
async def test_bytes_that_do_not_fit_are_refused(
    world: World, document: Any, binary: bytes, complaint: str
) -> None:
    response = await ask(world, document, binary)
    assert response.status in {400, 413}
    assert complaint in json.loads(response.body)["error"]


@pytest.mark.parametrize("header", ["", "x", "-1", "1e1", "999", "٣", "1" * 30])
async def test_a_header_that_does_not_fit_the_body_is_refused(world: World, header: str) -> None:
    response = await ask(world, {"inputs": []}, header=header)
    assert (response.status, HEADER in json.loads(response.body)["error"]) == (400, True)


@pytest.mark.parametrize("name", [1, None, ["x"], {"x": 1}])
async def test_a_name_that_is_no_text_is_refused(world: World, name: Any) -> None:
    assert (await ask(world, {"inputs": [tensor(name)]}, ROWS.tobytes())).status == 400

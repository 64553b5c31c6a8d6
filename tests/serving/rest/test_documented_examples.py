"""Every example of TensorFlow Serving's "RESTful API" page (g3doc/api_rest.md), one by one, as a client sends it.

Sent over a real socket as `curl -d` does, with the bytes of the page where they are JSON. The page says `result`
where TensorFlow Serving's code, and its own example at the end, say `results`.
"""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.examples import CLASSIFY_METHOD, REGRESS_METHOD
from serving.protos import example_pb2
from serving.server import Server
from serving.settings import ServingSettings
from serving.tensors.dtypes import Array
from tests.serving.processes import free_port

SENSORS = [
    spec("tag", "string", (None,)),
    spec("signal", "float", (None, 5)),
    spec("sensor", "float", (None, 2, 2)),
]
SIGNATURES = [
    signature([spec("x", "float", (None,))], [spec("y", "float", (None,))]),
    signature(
        [spec("inputs", "string", (None,))],
        [spec("outputs", "float", (None, 1))],
        name="tensorflow/serving/regress",
        method=REGRESS_METHOD,
    ),
    signature(
        [spec("inputs", "string", (None,))],
        [spec("classes", "string", (None, None)), spec("scores", "float", (None, None))],
        name="classify_objects",
        method=CLASSIFY_METHOD,
    ),
    signature([spec("text", "string", (None,))], [spec("text_bytes", "string", (None,))], name="words"),
    signature(
        [spec("matrix", "float", (None, 1, 2))], [spec("matrix_out", "float", (None, 1, 2))], name="matrices"
    ),
    signature(SENSORS, [spec("tags", "string", (None,)), spec("total", "float", (None,))], name="sensors"),
    signature(SENSORS, [spec("sum", "float", (None,))], name="sum_of_sensors"),
]


def features(serialized: bytes) -> dict[str, list[Any]]:
    found = example_pb2.Example.FromString(serialized).features.feature
    return {name: list(getattr(feature, feature.WhichOneof("kind")).value) for name, feature in found.items()}


def model(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    if "x" in inputs:
        return {"y": inputs["x"] * np.float32(0.5) + np.float32(3)}
    if "text" in inputs:
        return {"text_bytes": inputs["text"]}
    if "matrix" in inputs:
        return {"matrix_out": inputs["matrix"]}
    if "tag" in inputs:
        total = inputs["signal"].sum(axis=1) + inputs["sensor"].sum(axis=(1, 2))
        return {"tags": inputs["tag"], "total": total, "sum": total}
    return about_examples([features(row) for row in inputs["inputs"]])


def about_examples(rows: list[dict[str, list[Any]]]) -> Mapping[str, Array]:
    """What each example holds, as labels and scores; half of `x` plus three."""
    labels = [[row.get("caption", [b""])[0], row.get("image", [b""])[0]] for row in rows]
    readings = [row.get("sensor_readings", row.get("x", [0.0])) for row in rows]
    return {
        "classes": np.array(labels, object),
        "scores": np.array([[0.75, 0.25] for _ in rows], np.float32),
        "outputs": np.array(
            [[values[0] / 2 + 3 if len(values) == 1 else values[2]] for values in readings], np.float32
        ),
    }


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    folder = tmp_path / "half_plus_three" / "00000123"
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    settings = ServingSettings(
        listen_address="127.0.0.1",
        port=0,
        rest_api_port=free_port(),
        model_name="half_plus_three",
        model_base_path=str(folder.parent),
        enable_model_warmup=False,
        drain_seconds=0,
    )
    server = Server(settings, load=lambda _folder: FakeBackend(SIGNATURES, model))
    try:
        await server.start()
        curl = {"user-agent": "curl/8", "accept": "*/*", "content-type": "application/x-www-form-urlencoded"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.rest_port}", headers=curl) as opened:
            yield opened
    finally:
        await server.close()


STATUS = """
{
 "model_version_status": [
  {
   "version": "123",
   "state": "AVAILABLE",
   "status": {
    "error_code": "OK",
    "error_message": ""
   }
  }
 ]
}
"""


@pytest.mark.parametrize("path", ["", "/versions/123"])
async def test_the_status_of_a_model(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(f"/v1/models/half_plus_three{path}")
    assert (response.status_code, response.json()) == (200, json.loads(STATUS))


EXAMPLES = [
    pytest.param(
        ":predict", '{"instances": [1.0,2.0,5.0]}', {"predictions": [3.5, 4.0, 5.5]}, id="a predict call"
    ),
    pytest.param(
        "/versions/123:predict",
        '{"instances": [1.0,2.0,5.0]}',
        {"predictions": [3.5, 4.0, 5.5]},
        id="of a version",
    ),
    pytest.param(
        ":regress",
        '{"signature_name": "tensorflow/serving/regress", "examples": [{"x": 1.0}, {"x": 2.0}]}',
        {"results": [3.5, 4.0]},
        id="a regress call",
    ),
    pytest.param(
        ":predict",
        '{"signature_name": "words", "instances": [ "foo", "bar", "baz" ]}',
        {"predictions": [{"b64": "Zm9v"}, {"b64": "YmFy"}, {"b64": "YmF6"}]},
        id="three scalar tensors, and an output in _bytes",
    ),
    pytest.param(
        ":predict",
        '{"signature_name": "matrices", "instances": [ [[1, 2]], [[3, 4]] ]}',
        {"predictions": [[[1.0, 2.0]], [[3.0, 4.0]]]},
        id="two tensors of one row and two columns",
    ),
    pytest.param(
        ":predict",
        """{"signature_name": "sensors",
 "instances": [
   {
     "tag": "foo",
     "signal": [1, 2, 3, 4, 5],
     "sensor": [[1, 2], [3, 4]]
   },
   {
     "tag": "bar",
     "signal": [3, 4, 1, 2, 5],
     "sensor": [[4, 5], [6, 8]]
   }
 ]
}""",
        {"predictions": [{"tags": "foo", "total": 25.0}, {"tags": "bar", "total": 38.0}]},
        id="rows of named inputs, and named outputs",
    ),
    pytest.param(
        ":predict",
        """{"signature_name": "sensors",
 "inputs": {
   "tag": ["foo", "bar"],
   "signal": [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]],
   "sensor": [[[1, 2], [3, 4]], [[4, 5], [6, 8]]]
 }
}""",
        {"outputs": {"tags": ["foo", "bar"], "total": [25.0, 38.0]}},
        id="columns of named inputs, and named outputs",
    ),
    pytest.param(
        ":predict",
        """{"signature_name": "sum_of_sensors",
 "inputs": {
   "tag": ["foo"],
   "signal": [[1, 2, 3, 4, 5]],
   "sensor": [[[1, 2], [3, 4]]]
 }
}""",
        {"outputs": [25.0]},
        id="columns, and one output without its name",
    ),
    pytest.param(
        ":classify",
        """{
  "signature_name": "classify_objects",
  "examples": [
    {
      "image": { "b64": "aW1hZ2UgYnl0ZXM=" },
      "caption": "seaside"
    },
    {
      "image": { "b64": "YXdlc29tZSBpbWFnZSBieXRlcw==" },
      "caption": "mountains"
    }
  ]
}""",
        {
            "results": [
                [["seaside", 0.75], ["image bytes", 0.25]],
                [["mountains", 0.75], ["awesome image bytes", 0.25]],
            ]
        },
        id="binary features",
    ),
    pytest.param(
        ":classify",
        '{"signature_name": "classify_objects", "context": {"caption": "all"}, "examples": [{"image": "a"}, {"image": "b"}]}',
        {"results": [[["all", 0.75], ["a", 0.25]], [["all", 0.75], ["b", 0.25]]]},
        id="a context that all examples share",
    ),
    pytest.param(
        ":regress",
        '{"signature_name": "tensorflow/serving/regress", "examples": [{"sensor_readings": [ 1.0, -3.14, NaN, Infinity ]}]}',
        {"results": [float("nan")]},
        id="numbers that are none",
    ),
    pytest.param(
        ":predict",
        '{"instances": [NaN, Infinity, -Infinity, 1e1]}',
        {"predictions": [float("nan"), float("inf"), float("-inf"), 8.0]},
        id="special tokens and an exponent",
    ),
]


@pytest.mark.parametrize(("path", "body", "answer"), EXAMPLES)
async def test_an_example_is_answered_as_the_page_says(
    client: httpx.AsyncClient, path: str, body: str, answer: Any
) -> None:
    response = await client.post(f"/v1/models/half_plus_three{path}", content=body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert repr(json.loads(response.text)) == repr(answer)  # NaN is no equal of itself, but is written alike


async def test_an_incorrect_url_is_an_http_error_with_the_pages_words(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/models/half:predict", content='{"instances": [1.0,5.0]}')
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"error": "Servable not found for request: Latest(half)"}


@pytest.mark.parametrize(
    "body",
    ['{"instances": [1.0], "inputs": [1.0]}', "{}", "[1.0]", '{"instances": ["a"]}'],
    ids=["both", "none", "list", "text"],
)
async def test_an_incorrect_body_is_an_http_error_with_a_message(
    client: httpx.AsyncClient, body: str
) -> None:
    response = await client.post("/v1/models/half_plus_three:predict", content=body)
    assert (response.status_code, list(response.json())) == (400, ["error"])

"""Bodies made from the server's own OpenAPI document: what it describes is answered, what it does not is refused.

Every answer has a status that the document names, and a body that its schema accepts. Nothing is an internal error.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.examples import CLASSIFY_METHOD
from serving.http1 import Request
from serving.rest.openapi import openapi_document
from serving.tensors.dtypes import Array
from tests.serving.rest.schemas import ANY_JSON, described, wounded
from tests.serving.rest.test_api import World

MANY = settings(max_examples=60, deadline=None)
TYPES = ("bool", "uint8", "int16", "int64", "uint64", "half", "float", "double", "bfloat16", "string")
SIGNATURES = [
    signature([spec("x", "float", (None, 2))], [spec("y", "float", (None, 2))]),
    signature(
        [spec(name, name, (None, 2)) for name in TYPES],
        [spec(f"{name}_out", name, (None, 2)) for name in TYPES],
        name="all",
    ),
    signature([spec("text", "string", ())], [spec("text_bytes", "string", ())], name="scalar"),
    signature(
        [spec("inputs", "string", (None,))],
        [spec("classes", "string", (None, None)), spec("scores", "float", (None, None))],
        name="classify",
        method=CLASSIFY_METHOD,
    ),
]
DOCUMENTED = {"predict", "classify", "infer"}


def model(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    if "x" in inputs:
        return {"y": inputs["x"]}
    if "text" in inputs:
        return {"text_bytes": inputs["text"]}
    if "inputs" in inputs:
        rows = len(inputs["inputs"])
        return {"classes": np.full((rows, 1), b"a", object), "scores": np.ones((rows, 1), np.float32)}
    return {f"{name}_out": array for name, array in inputs.items()}


class Asked:
    """One world for all examples: opening one costs more than a hundred questions."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._world = self._runner.run(World().open(folder, backend=lambda: FakeBackend(SIGNATURES, model)))
        self.document = openapi_document(self._world.repository.resolve("double"))
        self.bodies = {name: self._describe(name) for name in DOCUMENTED}
        """Made once: Hypothesis takes strategies that are made anew for a sign of chance."""

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        return self.ask("POST", path, body, headers or {})

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        request = Request(method=method, path=path, query="", headers=dict(headers), body=body)
        response = self._runner.run(self._world.api.handle(request))
        return response.status, response.body

    def operation(self, name: str) -> tuple[str, Any]:
        """Its path, and what the document says of it."""
        return next(
            (path, methods["post"])
            for path, methods in self.document["paths"].items()
            if methods.get("post", {}).get("operationId") == name
        )

    def _describe(self, name: str) -> st.SearchStrategy[Any]:
        schema = self.operation(name)[1]["requestBody"]["content"]["application/json"]["schema"]
        return described(schema, self.document)

    def check(self, operation: Any, status: int, body: bytes) -> None:
        """Raises unless the document names this answer."""
        assert str(status) in operation["responses"], (status, body[:200])
        assert status != 500, body[:200]
        schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
        root = {**schema, "components": self.document["components"]}
        jsonschema.Draft202012Validator(root).validate(json.loads(body))

    def close(self) -> None:
        self._runner.close()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    opened = Asked(tmp_path_factory.mktemp("fuzz"))
    yield opened
    opened.close()


def encode(body: Any) -> bytes:
    return json.dumps(body).encode(errors="surrogatepass")


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
@MANY
@given(data=st.data())
def test_what_the_document_describes_is_answered_as_it_says(
    asked: Asked, name: str, data: st.DataObject
) -> None:
    path, operation = asked.operation(name)
    status, body = asked.post(path, encode(data.draw(asked.bodies[name])))
    asked.check(operation, status, body)


@MANY
@given(data=st.data())
def test_a_predict_body_that_fits_the_document_is_a_success(asked: Asked, data: st.DataObject) -> None:
    path, operation = asked.operation("predict")
    body = data.draw(asked.bodies["predict"])
    columns = body.get("inputs")
    # What a schema cannot say: the inputs of one question have equally many rows.
    assume(
        not isinstance(columns, dict) or len({len(v) for v in columns.values() if isinstance(v, list)}) <= 1
    )
    status, answer = asked.post(path, encode(body))
    asked.check(operation, status, answer)
    assert status == 200, (body, answer)


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
@MANY
@given(data=st.data())
def test_a_body_with_a_wound_is_answered_or_refused(asked: Asked, name: str, data: st.DataObject) -> None:
    path, operation = asked.operation(name)
    status, body = asked.post(path, encode(data.draw(wounded(asked.bodies[name]))))
    asked.check(operation, status, body)


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
@MANY
@given(body=ANY_JSON.map(encode) | st.binary(max_size=200))
def test_a_body_of_anything_is_refused(asked: Asked, name: str, body: bytes) -> None:
    path, operation = asked.operation(name)
    status, answer = asked.post(path, body)
    asked.check(operation, status, answer)
    assert status in {400, 501}


@MANY
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"]),
    parts=st.lists(
        st.sampled_from(
            [
                "/v1",
                "/v2",
                "/models",
                "/double",
                "/versions",
                "/labels",
                "/3",
                ":predict",
                "/infer",
                "/metadata",
            ]
        )
        | st.text("abz09/.:%_-\x00 ü", max_size=6),
        max_size=6,
    ),
)
def test_any_path_is_answered_in_json_without_an_internal_error(
    asked: Asked, method: str, parts: list[str]
) -> None:
    status, body = asked.ask(method, "/" + "".join(parts).lstrip("/"), b"{}", {})
    assert status in {200, 400, 404, 501}
    assert body.startswith((b"{", b"<!doctype"))


@MANY
@given(data=st.data(), header=st.integers(0, 300).map(str) | st.text(max_size=4), tail=st.binary(max_size=40))
def test_bytes_behind_the_json_are_answered_or_refused(
    asked: Asked, data: st.DataObject, header: str, tail: bytes
) -> None:
    path, operation = asked.operation("infer")
    body = data.draw(wounded(asked.bodies["infer"]))
    if isinstance(body, dict) and isinstance(body.get("inputs"), list):
        for entry in body["inputs"]:
            if isinstance(entry, dict) and data.draw(st.booleans()):
                entry.pop("data", None)
                entry["parameters"] = {"binary_data_size": data.draw(st.integers(-1, 40))}
    head = encode(body)
    length = header if data.draw(st.booleans()) else str(len(head))
    status, answer = asked.post(path, head + tail, {"inference-header-content-length": length})
    assert status in {200, 400, 413, 501}, answer[:200]
    if status != 200:
        asked.check(operation, status, answer)

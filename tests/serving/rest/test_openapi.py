"""The document and the page; the document must accept what the server accepts."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from serving.backend import FakeBackend
from serving.backend.fake import signature, spec
from serving.repository import Servable
from serving.rest.openapi import openapi_document, tensor_schema
from serving.rest.page import example, render_page
from tests.serving.rest.test_api import World
from tests.serving.worlds import double_backend

CLASSIFY = signature(
    [spec("inputs", "string", (None,))],
    [spec("classes", "string", (None, None))],
    name="classify",
    method="tensorflow/serving/classify",
)


def document(*more: Any) -> dict[str, Any]:
    backend = double_backend()
    session = FakeBackend([*backend.signatures.values(), *more], lambda inputs: inputs)
    return openapi_document(Servable(name="double", version=3, session=session))


def body_schema(described: dict[str, Any], path: str) -> dict[str, Any]:
    schema = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return {**schema, "components": described["components"]}


def accepts(described: dict[str, Any], path: str, body: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(body_schema(described, path)).is_valid(body))


PREDICT = "/v1/models/double:predict"


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"instances": [[1, 2.5]]}, True),
        ({"instances": [{"x": [1, 2]}]}, True),
        ({"inputs": [[1, 2]]}, True),
        ({"inputs": {"x": [[1, 2]]}}, True),
        ({"signature_name": "pair", "instances": [{"a": 1, "b": {"b64": ""}}]}, True),
        ({"signature_name": "serving_default", "instances": [[1, 2]]}, True),
        ({"instances": [[1, 2, 3]]}, False),
        ({"instances": [["a", "b"]]}, False),
        ({"instances": []}, False),
        ({"instances": [[1, 2]], "inputs": [[1, 2]]}, False),
        ({"signature_name": "nope", "instances": [[1, 2]]}, False),
        ({"signature_name": "pair", "instances": [{"a": 1}]}, False),
    ],
)
async def test_the_document_and_the_server_agree(tmp_path: Path, body: Any, fits: bool) -> None:
    world = await World().open(tmp_path)
    status, _ = await world.ask("POST", PREDICT, body)
    assert (accepts(document(), PREDICT, body), status == 200) == (fits, fits)


@pytest.mark.parametrize(
    ("described", "schema"),
    [
        (spec("x", "bool", ()), {"type": "boolean"}),
        (spec("x", "int8", ()), {"type": "integer", "format": "int8", "minimum": -128, "maximum": 127}),
        (spec("x", "float", (None,)), {"type": "array", "items": {"type": "number", "format": "float"}}),
        (
            spec("x", "bool", (2,)),
            {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2},
        ),
        (spec("x", "float", None), {}),
    ],
    ids=str,
)
def test_a_tensor_has_the_schema_of_its_type_and_shape(described: Any, schema: Any) -> None:
    assert tensor_schema(described) == schema


def test_only_what_the_model_can_do_is_described() -> None:
    assert sorted(document()["paths"]) == [
        "/v1/models/double",
        "/v1/models/double/metadata",
        "/v1/models/double:predict",
        "/v2/models/double/infer",
    ]
    assert "/v1/models/double:classify" in document(CLASSIFY)["paths"]


async def test_the_document_is_served(tmp_path: Path) -> None:
    world = await World().open(tmp_path)
    status, served = await world.ask("GET", "/v1/models/double/openapi.json")
    assert (status, served["openapi"], served["info"]) == (200, "3.1.0", {"title": "double", "version": "3"})


async def test_the_page_is_served_and_loads_nothing(tmp_path: Path) -> None:
    world = await World().open(tmp_path)
    status, response = await world.ask("GET", "/v1/models/double/docs")
    page = response.body.decode()
    assert status == 200
    assert response.content_type == "text/html; charset=utf-8"
    assert "POST /v1/models/double:predict" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "/v1/models/double/openapi.json" in page


def test_what_comes_from_a_model_is_escaped_on_the_page() -> None:
    evil = signature([spec("<script>", "float", (None,))], [spec("y", "float", (None,))])
    backend = FakeBackend([evil], lambda inputs: inputs)
    page = render_page(
        openapi_document(Servable(name="m", version=1, session=backend)), document_path="/openapi.json"
    )
    assert page.count(b"<script>") == 1


def test_the_examples_on_the_page_fit() -> None:
    described = document()
    schema = body_schema(described, PREDICT)
    for form in schema["anyOf"]:
        assert accepts(described, PREDICT, example(form))

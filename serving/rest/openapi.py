"""An OpenAPI 3.1 document for one model version, written from its signatures.

Every tensor becomes a JSON Schema: nested arrays with the sizes that the signature fixes, and numbers within
the range of its data type. So a client can be generated, and a fuzzer knows what must be accepted.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from serving.examples import CLASSIFY_METHOD, REGRESS_METHOD
from serving.repository import Servable
from serving.rest.versions import VERSION_HEADER
from serving.tensors.raw_tensors import datatype
from serving.tensors.signatures import DEFAULT_SIGNATURE, Signature, TensorSpec

Schema = dict[str, Any]

_ERROR: Schema = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
    "additionalProperties": False,
}
_BASE64: Schema = {
    "type": "object",
    "properties": {"b64": {"type": "string", "contentEncoding": "base64"}},
    "required": ["b64"],
    "additionalProperties": False,
}
_REFUSALS = {
    "400": "The request does not fit the signature",
    "404": "No such model or version",
    "413": "The body is too large",
    "429": "Too many requests wait; see Retry-After",
    "500": "The model failed",
    "501": "Not done over JSON",
    "503": "Not ready",
    "504": "The deadline passed",
}


def openapi_document(servable: Servable) -> Schema:
    """The document of one version."""
    base = f"/v1/models/{servable.name}"
    signatures = servable.session.signatures.values()
    paths: Schema = {
        base: {"get": _operation("status", "Where the versions of the model stand", {"type": "object"})},
        f"{base}/metadata": {
            "get": _operation("metadata", "The signatures of the model", {"type": "object"})
        },
        f"{base}:predict": {"post": _predict(list(signatures))},
    }
    for verb, method in (("classify", CLASSIFY_METHOD), ("regress", REGRESS_METHOD)):
        named = [signature for signature in signatures if signature.method == method]
        if named:
            paths[f"{base}:{verb}"] = {"post": _examples(verb, named)}
    if DEFAULT_SIGNATURE in servable.session.signatures:
        paths[f"/v2/models/{servable.name}/infer"] = {"post": _infer(servable.signature())}
    return {
        "openapi": "3.1.0",
        "info": {"title": servable.name, "version": str(servable.version)},
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR, "Base64": _BASE64}},
    }


def tensor_schema(spec: TensorSpec, *, axes_from: int = 0, least_outer: int = 0) -> Schema:
    """The schema of a tensor from one of its axes on; anything goes for an open rank.

    `least_outer` is the least length of an open axis with others inside: an empty list does not tell their sizes, so
    an input needs one.
    """
    if spec.shape is None:
        return {}
    schema = _scalar_schema(spec)
    for size in reversed(spec.shape[axes_from:]):
        limits = {"minItems": size, "maxItems": size}
        if size is None:
            limits = {"minItems": least_outer} if least_outer and schema.get("type") == "array" else {}
        schema = {"type": "array", "items": schema, **limits}
    return schema


def _scalar_schema(spec: TensorSpec) -> Schema:
    dtype = spec.dtype
    if dtype.is_string:
        return {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/Base64"}]}
    if dtype.name == "bool":
        return {"type": "boolean"}
    if dtype.is_float:
        return {"type": "number", "format": dtype.name}
    if dtype.storage.kind in "iu":
        limits = np.iinfo(dtype.storage)
        return {
            "type": "integer",
            "format": dtype.name,
            "minimum": int(limits.min),
            "maximum": int(limits.max),
        }
    return {"not": {}, "description": f"{dtype.name} has no JSON; ask over gRPC"}


def _predict(signatures: list[Signature]) -> Schema:
    asked = [form for signature in signatures for form in (_rows(signature), _columns(signature)) if form]
    answers = [_answer(signature) for signature in signatures]
    return _operation("predict", "Run a signature", {"anyOf": answers}, body={"anyOf": asked})


def _rows(signature: Signature) -> Schema | None:
    rows = {
        alias: tensor_schema(spec, axes_from=1, least_outer=1)
        for alias, spec in signature.inputs.items()
        if spec.has_batch_axis
    }
    if not rows or not signature.takes(rows):
        return None
    # All rows are named or none is.
    named = _object(rows, required=signature.required)
    forms = [*rows.values(), named] if len(signature.inputs) == 1 else [named]
    lists: list[Schema] = [{"type": "array", "minItems": 1, "items": row} for row in forms]
    return _request(signature, "instances", {"anyOf": lists} if len(lists) > 1 else lists[0])


def _columns(signature: Signature) -> Schema | None:
    if not signature.inputs:
        return None
    columns = {alias: tensor_schema(spec, least_outer=1) for alias, spec in signature.inputs.items()}
    named, plain = _object(columns, required=signature.required), list(columns.values())
    return _request(signature, "inputs", {"anyOf": [*plain, named]} if len(plain) == 1 else named)


def _request(signature: Signature, key: str, schema: Schema) -> Schema:
    is_default = signature.name == DEFAULT_SIGNATURE
    return {
        "title": f"{signature.name}, {'rows' if key == 'instances' else 'columns'}",
        "type": "object",
        "properties": {"signature_name": {"const": signature.name}, key: schema},
        "required": [key] if is_default else ["signature_name", key],
        "additionalProperties": False,
    }


def _answer(signature: Signature) -> Schema:
    specs = signature.outputs
    columns = {alias: tensor_schema(spec) for alias, spec in specs.items()}
    whole = next(iter(columns.values())) if len(columns) == 1 else _object(columns)
    rows = {alias: tensor_schema(spec, axes_from=1) for alias, spec in specs.items()}
    row = next(iter(rows.values())) if len(rows) == 1 else _object(rows)
    return {
        "title": signature.name,
        "type": "object",
        "properties": {"predictions": {"type": "array", "items": row}, "outputs": whole},
    }


def _examples(verb: str, signatures: list[Signature]) -> Schema:
    names = [signature.name for signature in signatures]
    body = {
        "type": "object",
        "properties": {
            "signature_name": {"enum": names},
            "context": {"type": "object"},
            "examples": {"type": "array", "minItems": 1, "items": {"type": "object"}},
        },
        "required": ["examples"] if DEFAULT_SIGNATURE in names else ["signature_name", "examples"],
    }
    answer = {"type": "object", "properties": {"results": {"type": "array"}}, "required": ["results"]}
    return _operation(verb, f"Run a signature to {verb} tf.Examples", answer, body=body)


def _infer(signature: Signature) -> Schema:
    inputs = [_v2_tensor(spec) for spec in signature.inputs.values()]
    body = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "inputs": {
                "type": "array",
                "minItems": len(signature.required),
                "maxItems": len(inputs),
                "items": {"anyOf": inputs},
            },
        },
        "required": ["inputs"],
    }
    answer = {
        "type": "object",
        "properties": {"model_name": {"type": "string"}, "outputs": {"type": "array"}},
        "required": ["model_name", "outputs"],
    }
    return _operation("infer", "Open Inference Protocol, version 2", answer, body=body)


def _v2_tensor(spec: TensorSpec) -> Schema:
    return {
        "type": "object",
        "properties": {
            "name": {"const": spec.alias},
            "datatype": {"const": datatype(spec)},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "data": {"type": "array"},
        },
        "required": ["name", "datatype", "shape", "data"],
    }


def _object(properties: Schema, *, required: Collection[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if required is None or name in required],
        "additionalProperties": False,
    }


def _operation(name: str, summary: str, answer: Schema, *, body: Schema | None = None) -> Schema:
    refusals = {
        status: {"description": text, "content": _json({"$ref": "#/components/schemas/Error"})}
        for status, text in _REFUSALS.items()
    }
    operation: Schema = {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": "The answer", **_version(name), "content": _json(answer)},
            **refusals,
        },
    }
    return operation | ({} if body is None else {"requestBody": {"required": True, "content": _json(body)}})


def _version(operation: str) -> Schema:
    if operation == "status":  # of all versions
        return {}
    described = {
        "description": "The version that answered",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    }
    return {"headers": {VERSION_HEADER: described}}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}

"""A page that shows a model's OpenAPI document to a reader, and lets them try a request.

It loads nothing from anywhere: a cluster without a way out shows it just as well. Everything that comes from
a model is escaped.
"""

import html
import json
from typing import Any

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
h2{{font-family:ui-monospace,monospace;font-size:1rem}} pre,textarea{{font:13px/1.4 ui-monospace,monospace}}
pre{{background:#f5f5f5;padding:.75rem;overflow:auto}} textarea{{width:100%;height:8rem}}
@media (prefers-color-scheme:dark){{body{{background:#111;color:#eee}}pre{{background:#222}}}}
</style></head><body>
<h1>{title} <small>version {version}</small></h1>
<p>The whole description: <a href="{document}">{document}</a></p>
{operations}
<script>
document.querySelectorAll("form").forEach(form => form.addEventListener("submit", async event => {{
  event.preventDefault();
  const answer = await fetch(form.dataset.path, {{method: "POST", body: form.elements.body.value}});
  form.querySelector("output").textContent = answer.status + " " + await answer.text();
}}));
</script></body></html>
"""
_TRY = """<form data-path="{path}"><textarea name="body" aria-label="body">{example}</textarea>
<button>Ask</button><pre><output></output></pre></form>"""


def render_page(document: dict[str, Any], *, document_path: str) -> bytes:
    """The page for an OpenAPI document of `serving.rest.openapi`."""
    operations = [
        _operation(path, verb, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]
    return _PAGE.format(
        title=html.escape(document["info"]["title"]),
        version=html.escape(document["info"]["version"]),
        document=html.escape(document_path),
        operations="\n".join(operations),
    ).encode()


def _operation(path: str, verb: str, operation: dict[str, Any]) -> str:
    parts = [f"<h2>{verb.upper()} {html.escape(path)}</h2>", f"<p>{html.escape(operation['summary'])}</p>"]
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        text = json.dumps(schema, indent=1)
        parts.append(f"<details><summary>Body</summary><pre>{html.escape(text)}</pre></details>")
        first = schema["anyOf"][0] if "anyOf" in schema else schema
        parts.append(_TRY.format(path=html.escape(path), example=html.escape(json.dumps(example(first)))))
    return "\n".join(parts)


def example(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """A small value that a schema of `serving.rest.openapi` takes."""
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example(schema[choice][0])
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "array":
            # Long rows are shown shorter than they are: the reader sees the form, and fills it in.
            return [example(schema.get("items", {}))] * min(schema.get("minItems", 1), 8)
        case "object":
            properties = schema.get("properties", {})
            return {name: example(properties[name]) for name in schema.get("required", properties)}
        case "string":
            return ""
        case "boolean":
            return False
        case _:
            return 0

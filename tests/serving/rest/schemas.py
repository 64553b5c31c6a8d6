"""Bodies that a JSON Schema describes, for Hypothesis: as much of JSON Schema as the server's own document uses."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]
Bodies = st.SearchStrategy[Any]

ANY_JSON: Bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def described(schema: Schema, root: Schema) -> Bodies:
    """Values that `schema` accepts; `root` is where its references point into."""
    if "$ref" in schema:
        return described(_follow(schema["$ref"], root), root)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return st.one_of([described(choice, root) for choice in schema[several]])
    kinds = {"object": _objects, "array": _arrays}
    if schema.get("type") in kinds:
        return kinds[schema["type"]](schema, root)
    return _scalars(schema)


def _follow(reference: str, root: Schema) -> Schema:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found  # type: ignore[no-any-return]


def _objects(schema: Schema, root: Schema) -> Bodies:
    properties = {name: described(inner, root) for name, inner in schema.get("properties", {}).items()}
    required = {name: properties.pop(name) for name in schema.get("required", []) if name in properties}
    return st.fixed_dictionaries(required, optional=properties)


def _arrays(schema: Schema, root: Schema) -> Bodies:
    least = schema.get("minItems", 0)
    most = schema.get("maxItems", least + 3)
    return st.lists(described(schema.get("items", {}), root), min_size=least, max_size=most)


def _scalars(schema: Schema) -> Bodies:
    match schema.get("type"):
        case "string" if schema.get("contentEncoding") == "base64":
            return st.binary(max_size=8).map(_encode)
        case "string":
            return st.text(max_size=8)
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False, width=16) | st.integers(
                -255, 255
            )  # exact in every type
    return ANY_JSON


def _encode(content: bytes) -> str:
    import base64

    return base64.b64encode(content).decode()


@st.composite
def wounded(draw: st.DrawFn, bodies: Bodies) -> Any:
    """A body of `bodies` in which one place holds something else, or is gone."""
    body = draw(bodies)
    places = list(_places(body))
    if not places:
        return draw(ANY_JSON)
    holder, key = draw(st.sampled_from(places))
    if draw(st.booleans()) and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = draw(ANY_JSON)
    return body


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)

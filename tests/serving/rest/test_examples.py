from typing import Any

import pytest

from serving.errors import InvalidRequest
from serving.rest.examples import read_input


def features(example: Any) -> dict[str, list[Any]]:
    lists = {"int64_list", "float_list", "bytes_list"}
    return {
        name: list(getattr(feature, feature.WhichOneof("kind")).value)
        if feature.WhichOneof("kind") in lists
        else []
        for name, feature in example.features.feature.items()
    }


def test_values_become_features_of_their_kind() -> None:
    message = read_input(
        {"examples": [{"i": 1, "l": [1, 2], "f": 0.5, "b": True, "s": "é", "r": {"b64": "AP8="}, "none": []}]}
    )
    (example,) = message.example_list.examples
    assert features(example) == {
        "i": [1],
        "l": [1, 2],
        "f": [0.5],
        "b": [1],
        "s": ["é".encode()],
        "r": [b"\0\xff"],
        "none": [],
    }


def test_a_context_is_kept_apart() -> None:
    message = read_input({"context": {"c": 1}, "examples": [{"x": 2}]})
    assert features(message.example_list_with_context.context) == {"c": [1]}
    assert [features(example) for example in message.example_list_with_context.examples] == [{"x": [2]}]


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param({}, "key 'examples' is expected and was not found", id="no examples"),
        pytest.param({"examples": 1}, "Expecting 'examples' value to be an list/array", id="no list"),
        pytest.param({"examples": []}, "'examples' value is an empty array", id="empty"),
        pytest.param({"examples": [1]}, "Example must be JSON object", id="no object"),
        pytest.param({"examples": [{"x": [1, "a"]}]}, "Unexpected element type in feature: x", id="mixed"),
        pytest.param(
            {"examples": [{"x": None}]}, "Feature: x has element with unexpected JSON type", id="null"
        ),
        pytest.param({"examples": [{"x": {"y": 1}}]}, "Feature: x has element with unexpected", id="object"),
        pytest.param({"examples": [{"x": [[1]]}]}, "Feature: x has element with unexpected", id="nested"),
        pytest.param({"examples": [{"x": 2**63}]}, "Feature: x has uint64 element. Only int64", id="uint64"),
        pytest.param({"examples": [{"x": {"b64": "!"}}]}, "Unable to base64 decode", id="base64"),
    ],
)
def test_a_wrong_body_is_refused(document: Any, complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=complaint):
        read_input(document)

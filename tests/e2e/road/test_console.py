"""The console of the local stack: on a port of its own, from the pod that clients ask."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(5000)]


# The client of `bin/up` asks 1000 questions once each. That teaches the cache to look up one question in 64 until some repeat.
ENOUGH = 200


def get(url: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_the_page_answers_at_the_address_that_the_stack_names(outputs: dict[str, Any]) -> None:
    status, headers, page = get(outputs["console_url"])
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert b"Try a model" in page


def test_it_shows_the_model_that_is_served(outputs: dict[str, Any]) -> None:
    (model,) = json.loads(get(f"{outputs['console_url']}/state.json")[2])["models"]
    (version,) = model["versions"]
    assert (model["name"], version["state"]) == ("mnist", "AVAILABLE")
    assert version["identity"] == outputs["model_digest"]


def test_a_question_through_it_is_answered_and_kept(outputs: dict[str, Any]) -> None:
    body = json.dumps({"instances": [[0.5] * 784]}).encode()
    answers = [get(f"{outputs['console_url']}/v1/models/mnist:predict", body) for _ in range(ENOUGH)]
    assert {status for status, _, _ in answers} == {200}
    assert "yes" in {headers["x-answer-kept"] for _, headers, _ in answers}


def test_the_clients_port_does_not_know_it(outputs: dict[str, Any]) -> None:
    assert get(f"{outputs['rest_url']}/state.json")[0] == 404
    assert get(f"{outputs['rest_url']}/page/main.js")[0] == 404

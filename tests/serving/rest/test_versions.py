"""Which version answered is said in a header, whichever way the answer took."""

from pathlib import Path
from typing import Any

import pytest

from serving.rest.versions import VERSION_HEADER
from tests.serving.access.worlds import ask_rest, serve

V2 = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}]}


@pytest.mark.parametrize(
    ("path", "body", "version"),
    [
        pytest.param("/v1/models/double:predict", {"instances": [[1, 2]]}, "3", id="newest"),
        pytest.param("/v1/models/double/versions/3:predict", {"instances": [[1, 2]]}, "3", id="named"),
        pytest.param("/v1/models/double:predict", {"instances": [["a"]]}, "3", id="refused by the version"),
        pytest.param("/v1/models/double:regress", {"examples": [{"x": 1}]}, "3", id="no such question"),
        pytest.param("/v1/models/double/metadata", None, "3", id="metadata"),
        pytest.param("/v2/models/double/infer", V2, "3", id="v2"),
        pytest.param("/v1/models/double", None, None, id="status is of all versions"),
        pytest.param("/v1/models/nope:predict", {"instances": [[1, 2]]}, None, id="no such model"),
        pytest.param("/livez", None, None, id="no model"),
    ],
)
async def test_an_answer_names_the_version_that_gave_it(
    tmp_path: Path, path: str, body: Any, version: str | None
) -> None:
    async with serve(tmp_path) as server:
        for _ in range(2):  # the second one may be kept
            response = await ask_rest(server, path, body=body)
            assert response.headers.get(VERSION_HEADER) == version


async def test_an_answer_that_was_kept_is_named_like_the_first(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        for _ in range(3):
            response = await ask_rest(server, "/v1/models/double:predict", body={"instances": [[1, 2]]})
            assert (response.status_code, response.headers[VERSION_HEADER]) == (200, "3")
        page = server.metrics.page().decode()
        assert 'tfsp_output_cache_lookups_total{model="double",result="hit"} 2.0' in page

"""What ran before a version: remembered by digest, across updates that change nothing and updates that fail."""

from typing import Any

import pytest

from components.predecessor import predecessor

OLD, NEW = "registry/models/mnist:1@sha256:old", "registry/models/mnist:2@sha256:new"
RAN = {"model_version": 1, "model_digest": "sha256:1", "image": OLD}
RUNS = {"model_version": 2, "model_digest": "sha256:2", "image": NEW}


@pytest.mark.parametrize(
    ("deployed", "image", "digest", "expected"),
    [
        ({}, NEW, "sha256:2", None),
        ({**RAN, "contract": "{}"}, NEW, "sha256:2", RAN),
        ({**RAN, "previous": None}, OLD, "sha256:1", None),
        ({**RUNS, "previous": RAN}, NEW, "sha256:2", RAN),
        ({**RAN, "previous": {"model_version": 0}}, NEW, "sha256:2", RAN),
        ({**RAN, "previous": None}, OLD, "sha256:2", RAN),
        ({**RAN, "previous": None}, NEW, "sha256:1", RAN),
    ],
    ids=[
        "first update", "another version", "the same and no other", "the same again", "the one before only",
        "fetched into the same image", "the same model on another runtime",
    ],
)  # fmt: skip
def test_what_ran_before_is_the_last_other_model_or_image(
    deployed: dict[str, Any], image: str, digest: str, expected: object
):
    assert predecessor(deployed, image=image, digest=digest) == expected

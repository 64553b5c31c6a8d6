"""What ran before a version: remembered by digest, across updates that change no image and updates that fail."""

from typing import Any

import pytest

from components.predecessor import predecessor

OLD, NEW = "registry/models/mnist:1@sha256:old", "registry/models/mnist:2@sha256:new"
RAN = {"model_version": 1, "model_digest": "sha256:1", "image": OLD}


@pytest.mark.parametrize(
    ("deployed", "image", "expected"),
    [
        ({}, NEW, None),
        ({**RAN, "contract": "{}"}, NEW, RAN),
        ({**RAN, "previous": None}, OLD, None),
        ({"model_version": 2, "image": NEW, "previous": RAN}, NEW, RAN),
        ({**RAN, "previous": {"model_version": 0}}, NEW, RAN),
    ],
    ids=["first update", "another image", "the same and no other", "the same again", "the one before only"],
)
def test_what_ran_before_is_the_last_other_image(deployed: dict[str, Any], image: str, expected: object):
    assert predecessor(deployed, image) == expected

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.backend import FakeBackend, load_session
from serving.backend.fake import signature, spec
from serving.errors import InvalidRequest
from serving.repository.trial import try_out
from serving.settings import ServingSettings

DESCRIBED = signature(
    [spec("x", "float", (None, 2)), spec("s", "string", (None,))], [spec("y", "float", (None,))]
)


def test_a_model_that_repeats_itself_is_deterministic() -> None:
    backend = FakeBackend([DESCRIBED], lambda inputs: {"y": inputs["x"].sum(axis=1)})
    assert try_out(backend)
    assert [call["x"].shape for call in backend.calls] == [(1, 2), (1, 2)]


def test_a_model_that_answers_differently_is_not() -> None:
    numbers = itertools.count()
    backend = FakeBackend([DESCRIBED], lambda inputs: {"y": np.float32([next(numbers)])})
    assert not try_out(backend)


@pytest.mark.parametrize("operation", ["RandomUniform", "AssignAddVariableOp", "PyFunc"])
def test_operations_that_cannot_repeat_give_a_model_away(operation: str) -> None:
    backend = FakeBackend([DESCRIBED], lambda inputs: {"y": inputs["x"].sum(axis=1)}, operations=[operation])
    assert not try_out(backend)


def test_a_model_that_refuses_made_up_inputs_is_not_held_against_it() -> None:
    def refuse(_inputs: Any) -> Any:
        raise InvalidRequest("no picture")

    assert try_out(FakeBackend([DESCRIBED], refuse))


def test_an_input_of_enormous_shape_is_not_made_up() -> None:
    huge = signature([spec("x", "float", (1 << 20, 1 << 20))], [spec("y", "float", (None,))])
    backend = FakeBackend([huge], lambda inputs: {"y": inputs["x"]})
    assert try_out(backend)
    assert backend.calls == []


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("model", "repeats"),
    [("dense", True), ("half_plus_two", True), ("noise", False), ("words", True), ("strict", True)],
)
def test_real_models_are_told_apart(models: Path, model: str, repeats: bool) -> None:
    assert try_out(load_session(models / model / "1", ServingSettings())) is repeats

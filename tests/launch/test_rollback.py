"""Where `bin/rollback` goes: what the outputs remember, found again on this machine by its digest."""

import json
from pathlib import Path
from typing import Any

import pytest

from launch.rollback import Aim, Settings, aim_of, chosen_model, folder_of, keys_of, refuse_canary
from launch.steps import StepError

BEFORE = {"model_version": 1000, "model_digest": "sha256:a", "image": "registry/models/mnist:1000@sha256:a"}
NOW: dict[str, Any] = {
    "model_version": 1100,
    "model_digest": "sha256:b",
    "image": "other",
    "previous": BEFORE,
}
AIM = Aim(version=1000, digest="sha256:a", image="registry/models/mnist:1000@sha256:a")


def publish(base: Path, digest: str) -> Path:
    folder = base / "1000"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"identity": digest}))
    return folder


def test_after_an_update_that_succeeded_it_is_what_ran_before() -> None:
    assert aim_of("mnist", NOW) == AIM


def test_after_an_update_that_failed_it_is_what_the_outputs_still_say() -> None:
    assert aim_of("mnist", {**BEFORE, "previous": None}, failed_with="") == AIM


def test_a_rollback_that_failed_goes_on_to_where_it_went() -> None:
    assert aim_of("mnist", NOW, failed_with=AIM.image) == AIM
    assert aim_of("mnist", NOW, failed_with="registry/models/mnist:1200@sha256:c").version == 1100


def test_a_model_that_ran_nothing_else_is_a_sentence() -> None:
    with pytest.raises(StepError, match="has run nothing but version 1000"):
        aim_of("mnist", {**BEFORE, "previous": None})


@pytest.mark.parametrize(
    ("models", "name", "expected"),
    [({"mnist": NOW}, "", "mnist"), ({"a": {}, "b": {}}, "b", "b")],
    ids=["the only one", "by name"],
)
def test_the_model_is_the_only_one_or_named(models: dict[str, Any], name: str, expected: str) -> None:
    assert chosen_model({"models": models}, name) == (expected, models[expected])


@pytest.mark.parametrize(
    ("models", "name"),
    [({"a": {}, "b": {}}, ""), ({"a": {}}, "c"), ({}, "")],
    ids=["which", "unknown", "never"],
)
def test_a_model_that_cannot_be_meant_is_a_sentence(models: dict[str, Any], name: str) -> None:
    with pytest.raises(StepError, match="expected --model to be one of the stack's models"):
        chosen_model({"models": models}, name)


def test_the_folder_is_the_one_with_the_digest_that_ran(tmp_path: Path) -> None:
    publish(tmp_path / "other", "sha256:of another export")
    folder = publish(tmp_path / "right", "sha256:a")
    assert folder_of(AIM, "mnist", [str(tmp_path / "other"), str(tmp_path / "right")]) == str(folder)


def test_a_version_that_is_not_here_says_where_it_was_looked_for(tmp_path: Path) -> None:
    publish(tmp_path, "sha256:of another export")
    with pytest.raises(StepError, match=rf"digest sha256:a in one of {tmp_path}/1000, found none"):
        folder_of(AIM, "mnist", [str(tmp_path)])


def test_a_version_that_pods_fetch_has_no_image_to_go_back_to() -> None:
    fetched = Settings(sections={"delivery": {"mode": "init-fetch"}}, model="mnist")
    assert keys_of(AIM, "models/1000", Settings(sections={}, model="mnist"))["pushedImage"] == AIM.image
    assert keys_of(AIM, "models/1000", fetched) == {"source": "models/1000", "version": 1000}


def test_one_of_several_models_has_its_own_keys_on_top_of_the_stacks() -> None:
    sections = {"model": {"repository": "r", "source": "s"}, "models": {"a.b": {"model": {"source": "own"}}}}
    settings = Settings(sections=sections, model="a.b")
    assert settings.of("model") == {"repository": "r", "source": "own"}
    assert settings.path("model") == 'models["a.b"].model'
    assert Settings(sections=sections, model="other").path("model") == "model"


def test_a_canary_goes_back_by_its_own_key() -> None:
    refuse_canary(Settings(sections={"canary": {"source": ""}}, model="mnist"))
    with pytest.raises(StepError, match=r"config set --path canary\.phase aborted"):
        refuse_canary(Settings(sections={"canary": {"source": "build/next"}}, model="mnist"))

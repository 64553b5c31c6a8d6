"""Images: built from little, pushed, kept, and named by digest."""

from pathlib import Path

import pytest

from tests.components.test_platform import deploy

ROOT = Path(__file__).parents[2]


def test_images_are_never_built_in_a_preview_and_always_pushed():
    for image in deploy().all("Image"):
        assert image.inputs["buildOnPreview"] is False
        assert image.inputs["exports"][0]["raw"].startswith("type=registry,")


def test_the_model_images_context_is_its_version_folder_and_nothing_else():
    _, model = deploy().all("Image")
    assert model.inputs["context"]["location"] == "build/models/mnist/7"


def test_equal_inputs_carry_an_equal_time_stamp():
    stamps = {image.inputs["buildArgs"]["SOURCE_DATE_EPOCH"] for image in deploy().all("Image")}
    assert len(stamps) == 1


@pytest.mark.parametrize(
    ("sections", "requirements"),
    [
        ({}, "serving"),
        ({"gpu": {"count": 1}}, "serving-gpu"),
        ({"gpu": {"count": 1}, "images": {"runtime": "cpu"}}, "serving"),
    ],
    ids=["cpu", "gpu", "stand-in gpu"],
)
def test_the_runtime_holds_the_tensorflow_that_the_pods_need(sections, requirements):
    runtime, _ = deploy(**sections).all("Image")
    assert runtime.inputs["buildArgs"]["REQUIREMENTS"] == requirements
    assert (ROOT / f"requirements/{requirements}.txt").is_file()


def test_build_secrets_are_secrets_and_do_not_decide_what_is_built(tmp_path):
    (tmp_path / "pip.conf").write_text("canary", encoding="utf-8")
    runtime, model = deploy(images={"pipConfig": str(tmp_path / "pip.conf")}).all("Image")
    assert runtime.inputs["ignoreSecretsInDiffCalculation"] == ["pip_config"]
    assert "canary" not in str(runtime.inputs["buildArgs"])
    assert "secrets" not in model.inputs


def test_the_cache_stays_in_the_registry_where_asked():
    runtime, _ = deploy(images={"registryCache": True}).all("Image")
    assert runtime.inputs["cacheTo"][0]["registry"]["ref"] == "registry.example.com/team/cache:runtime-cpu"
    assert "cacheTo" not in deploy().all("Image")[0].inputs


def test_layers_are_built_anew_only_where_asked():
    assert all("noCache" not in image.inputs for image in deploy().all("Image"))
    anew = deploy(images={"buildCache": False}).all("Image")
    assert [image.inputs["noCache"] for image in anew] == [True, True]


def test_the_runtime_context_leaves_out_all_but_what_the_stages_copy():
    rules = (ROOT / "images/Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert rules[rules.index("*")] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert allowed == {
        "images/pip-install",
        "requirements/bare.txt",
        "requirements/runtime.txt",
        "requirements/serving.txt",
        "requirements/serving-gpu.txt",
        "serving",
        "trust",
    }
    assert all((ROOT / path).exists() for path in allowed)

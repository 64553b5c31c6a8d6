"""The whole program, as `pulumi up` would run it, with the keys of each stack file and the defaults of Pulumi.yaml."""

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from tests.components import examples
from tests.components.declared import PROJECT, Program, Recorder, declare
from tests.model_export.contract import protos

ROOT = Path(__file__).parents[1]


@pytest.fixture
def version_folder(tmp_path: Path) -> Path:
    """A servable that was exported before: the program takes it as it is."""
    (tmp_path / "manifest.json").write_text(examples.manifest().to_json(), encoding="utf-8")
    return protos.write(tmp_path, protos.doubling())


def run_stack(stack: str, version_folder: Path, recorder: Recorder | None = None) -> Program:
    settings = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    settings[f"{PROJECT}:model"]["source"] = str(version_folder)

    def program() -> None:
        pulumi.runtime.set_all_config({key: json.dumps(value) for key, value in settings.items()})
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    return declare(program, recorder)


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_each_stack_declares_a_whole_deployment(stack: str, version_folder: Path):
    deployed = run_stack(stack, version_folder)
    kinds = {each.kind for each in deployed.resources}
    assert {
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "Namespace",
        "Image",
    } <= kinds
    assert {
        "rest_url",
        "grpc_target",
        "service",
        "namespace",
        "image",
        "model_digest",
        "model_version",
    } <= set(deployed.outputs)


def test_the_program_never_meets_tensorflow(version_folder: Path):
    # In a process of its own: here, other tests have met it already.
    asked = (
        "import json, pathlib, sys; from tests.test_program import run_stack;"
        "run_stack('local', pathlib.Path(sys.argv[1])); print(json.dumps(sorted(sys.modules)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", asked, str(version_folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(finished.stdout.splitlines()[-1]))
    assert "components.platform" in loaded
    assert not {"tensorflow", "keras", "numpy"} & loaded


def test_every_object_goes_to_the_named_cluster(version_folder: Path):
    deployed = run_stack("prod", version_folder)
    assert deployed.one("kubernetes").inputs == {"context": "prod"}
    objects = [each for each in deployed.resources if each.type.startswith("kubernetes:")]
    assert objects
    assert all("::cluster::" in each.provider for each in objects), [each.name for each in objects]


def test_production_asks_for_a_gpu_and_grows_to_six(version_folder: Path):
    deployed = run_stack("prod", version_folder)
    container = deployed.one("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    scaler = deployed.one("HorizontalPodAutoscaler").inputs["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)


def test_two_runs_declare_the_same(version_folder: Path):
    first, second = run_stack("local", version_folder), run_stack("local", version_folder)
    by_name = {each.name: each for each in first.resources}
    assert by_name == {each.name: each for each in second.resources}


def test_a_new_version_changes_no_name_and_no_selector(version_folder: Path):
    before = run_stack("local", version_folder)
    (version_folder / "manifest.json").write_text(examples.manifest(version=8).to_json(), encoding="utf-8")
    after = run_stack("local", version_folder)
    assert {_fixed(each.inputs) for each in before.all("Deployment")} == {
        _fixed(each.inputs) for each in after.all("Deployment")
    }
    assert (
        before.one("Deployment").inputs["spec"]["template"]
        != after.one("Deployment").inputs["spec"]["template"]
    )
    assert {each.name for each in before.resources} == {each.name for each in after.resources}


def test_a_missing_model_ends_the_program_with_one_sentence(tmp_path: Path):
    with pytest.raises(pulumi.RunError, match=r"model mnist: .*absent"):
        run_stack("local", tmp_path / "absent")


def test_a_model_that_breaks_its_clients_ends_the_program_and_reaches_no_pod(version_folder: Path):
    recorder = Recorder(deployed=run_stack("local", version_folder).outputs)
    info = protos.tensor_info("image:0", 3, None, 4)
    protos.write(version_folder, protos.saved_model(protos.signature("serving_default", {"image": info}, {})))
    with pytest.raises(
        pulumi.RunError, match=r"model mnist: .*signatures\.serving_default\.inputs\.image\.dtype"
    ):
        run_stack("local", version_folder, recorder)
    assert "Deployment" not in {each.kind for each in recorder.resources}


def test_a_state_that_is_being_written_is_read_again(version_folder: Path):
    recorder = Recorder(deployed=run_stack("local", version_folder).outputs, unreadable=3)
    assert run_stack("local", version_folder, recorder).one("Deployment")
    assert recorder.unreadable == 0


def test_a_state_that_stays_unreadable_reaches_no_pod_and_is_a_sentence(version_folder: Path):
    recorder = Recorder(unreadable=99)
    with pytest.raises(
        pulumi.RunError, match=r"contracts deployed by stack .*EOF.*run the same command again"
    ):
        run_stack("local", version_folder, recorder)
    assert "Deployment" not in {each.kind for each in recorder.resources}


def test_a_model_that_reads_files_is_refused_by_name(version_folder: Path):
    protos.write(version_folder, protos.doubling(protos.node("secret", "ReadFile", "image")))
    with pytest.raises(pulumi.RunError, match=r"model mnist: .*ReadFile"):
        run_stack("local", version_folder)


def _fixed(inputs: dict[str, Any]) -> str:
    return json.dumps([inputs["metadata"]["name"], inputs["spec"]["selector"]])


def test_a_secret_in_the_stacks_file_is_refused_by_its_key_and_not_shown(version_folder: Path):
    env = [{"name": "TOKEN", "value": "a-planted-secret"}]
    settings = {
        f"{PROJECT}:images": {"registry": "registry.example.com/team"},
        f"{PROJECT}:model": {"name": "mnist", "source": str(version_folder)},
        f"{PROJECT}:overrides": {
            "objects": {"Deployment": {"spec": {"template": {"spec": {"containers": env}}}}}
        },
    }

    def program() -> None:
        plain = {key: json.dumps(value) for key, value in settings.items()}
        pulumi.runtime.set_all_config(plain, secret_keys=[f"{PROJECT}:overrides"])
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    try:
        with pytest.raises(pulumi.RunError, match="overrides holds a secret value") as refused:
            declare(program)
    finally:
        pulumi.runtime.set_all_config({}, secret_keys=[])
    assert "planted" not in str(refused.value)

"""The commands on pages about models and stacks, read as they stand: exporting, keeping, vouching for, serving, and what a preview says."""

import json
import re
import shutil
import site
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import ROOT, blocks_of, reading
from tests.policy import project
from tests.policy.project import Project
from tests.serving.processes import free_port, serving

PUBLISHED = ROOT / "examples/mnist/published/1000"


@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_a_checkpoint_is_exported_verified_and_evaluated(tmp_path: Path) -> None:
    with reading("docs/export.md", replace={"build/": f"{tmp_path}/"}) as page:
        (printed,) = page.rest()
    (promised,) = [block.text for block in blocks_of("docs/export.md") if "Successfully loaded" in block.text]
    assert promised in printed.replace(f"{tmp_path}/", "build/")
    assert "Equal: 3 batches" in printed
    assert "top_5 0.99" in printed


@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_a_photo_is_named_by_a_model_that_came_from_a_checkpoint(tmp_path: Path) -> None:
    grpc_port, rest_port = str(free_port()), str(free_port())
    replace = {
        "build/": f"{tmp_path}/",
        "$PWD/": "",
        "port=9000": f"port={grpc_port} --rest_api_port={rest_port}",
        "localhost:9000": f"localhost:{grpc_port}",
        "localhost:8501": f"localhost:{rest_port}",
    }
    with reading("examples/imagenet/README.md", replace=replace) as page:
        (printed,) = page.rest()
    assert "Successfully loaded model from" in printed
    assert re.search(r'string_val: ".*cat', printed)


def test_a_version_is_published_labelled_and_fetched(tmp_path: Path) -> None:
    replace = {
        "export/mnist/7": str(PUBLISHED),
        "s3://models/mnist": f"{tmp_path}/repository",
        " /models/mnist": f" {tmp_path}/fetched",
        "stable=7": "stable=1000",
    }
    with reading("docs/repository.md", replace=replace) as page:
        printed = page.rest()
    assert "stable" in "".join(printed)
    assert (tmp_path / "fetched/1000/saved_model.pb").read_bytes() == (
        PUBLISHED / "saved_model.pb"
    ).read_bytes()


def test_a_version_is_signed_and_its_materials_are_listed_and_looked_up(tmp_path: Path) -> None:
    shutil.copytree(PUBLISHED, tmp_path / "7")
    with zipfile.ZipFile(tmp_path / "PyPI-all.zip", "w") as database:
        package = {"package": {"ecosystem": "PyPI", "name": "somebody-elses"}}
        known = {"id": "PYSEC-2026-1", "affected": [package]}
        database.writestr("PYSEC-2026-1.json", json.dumps(known))
    files = ("model.key", "model.pub", "mnist.spdx.json", "image.spdx.json", "PyPI-all.zip")
    replace = {"models/mnist/7": str(tmp_path / "7"), **{name: str(tmp_path / name) for name in files}}
    with reading("docs/trust.md", replace=replace) as page:
        assert "signed by the key" in page.next()
        page.rest()
    assert (tmp_path / "image.spdx.json").stat().st_size > (tmp_path / "mnist.spdx.json").stat().st_size


@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_the_server_answers_stands_in_front_of_another_and_gives_out_its_files(tmp_path: Path) -> None:
    socket = tmp_path / "grpc.sock"
    flags = ("--model_name=mnist", f"--model_base_path={PUBLISHED.parent}", f"--grpc_socket_path={socket}")
    own = f"--port={free_port()} --rest_api_port={free_port()}"
    own_rest = own.rpartition("=")[2]
    with serving(*flags) as upstream:
        replace = {
            "--port=8500 --rest_api_port=8501": own,
            "--upstream_grpc": f"{own} --upstream_grpc",
            "localhost:8501": f"localhost:{own_rest}",
            "/run/tfs/grpc.sock": str(socket),
            "127.0.0.1:8601": f"127.0.0.1:{upstream.rest_port}",
            "/opt/venv/lib/python3.11/site-packages": site.getsitepackages()[0],
            "/opt/tensorflow": str(tmp_path / "tensorflow"),
        }
        with reading("docs/serving.md", replace=replace) as page:
            assert len(json.loads(page.next())["predictions"][0]) == 10
            page.next()
            assert re.match(r"[0-9a-f]{64}\b", page.next())
            page.next()
    assert list(tmp_path.glob("tensorflow/tensorflow/libtensorflow_cc.so*"))


def test_the_console_answers_on_a_port_of_its_own(tmp_path: Path) -> None:
    port = str(free_port())
    flags = f"--port={free_port()} --rest_api_port={free_port()} --console_port={port}"
    with reading("docs/console.md", replace={"--console_port=8503": flags, ":8503": f":{port}"}) as page:
        page.rest()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the project in which commands may write, with the project's own commands and the stack `prod`."""
    made = project.make(tmp_path)
    monkeypatch.setenv("PULUMI_BACKEND_URL", made.environment["PULUMI_BACKEND_URL"])
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    for name in ("bin", "package", "toolchain"):
        (tmp_path / name).symlink_to(ROOT / name)
    made.write_stack("prod")
    return made


def test_a_key_is_set_and_the_page_shows_what_that_writes(checkout: Project) -> None:
    with reading("docs/config.md", folder=checkout.folder) as page:
        page.rest()
    written = yaml.safe_load((checkout.folder / "Pulumi.prod.yaml").read_text())["config"]
    first, *_ = [block.text for block in blocks_of("docs/config.md") if block.language == "yaml"]
    for key, values in yaml.safe_load(first)["config"].items():
        assert written[key].items() >= values.items()


def test_a_preview_is_judged_by_the_policy_pack(checkout: Project) -> None:
    with reading("docs/policy.md", folder=checkout.folder) as page:
        (said,) = page.rest()
    assert "✅ tf-serving-platform@v1.0.0" in said


def test_a_stack_of_its_own_is_previewed_without_cluster_or_registry(checkout: Project) -> None:
    with reading("README.md", folder=checkout.folder) as page:
        previewed = page.next()
    for kind in ("apps/v1:Deployment", "core/v1:Service", "autoscaling/v2:HorizontalPodAutoscaler"):
        assert f"kubernetes:{kind}" in previewed


def test_the_schema_of_the_package_is_written_as_it_stands(checkout: Project, tmp_path: Path) -> None:
    with reading("docs/package.md", replace={"> package": f"> {tmp_path}"}, folder=checkout.folder) as page:
        page.rest()
    kept = json.loads((ROOT / "package/schema.json").read_text())
    assert json.loads((tmp_path / "schema.json").read_text())["resources"] == kept["resources"]


def test_the_training_example_is_previewed_from_its_image_to_its_run(
    checkout: Project, tmp_path: Path
) -> None:
    (tmp_path / "examples").unlink()  # stack files are written beside a program, and not into this checkout
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "requirements").symlink_to(ROOT / "requirements")
    with reading("docs/training.md", folder=checkout.folder) as page:
        (previewed,) = page.rest()
    assert "docker-build:index:Image training" in previewed
    assert "kubernetes:batch/v1:Job training-mnist-run" in previewed

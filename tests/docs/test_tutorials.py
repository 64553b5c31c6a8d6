"""The tutorials, followed to the letter: every block runs, or where it needs a cluster its words are checked."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import ROOT, Block, blocks_of, reading
from tests.model_export.repository.conftest import s3_server
from tests.model_export.repository.s3_server import ACCESS, BUCKET, SECRET, S3Server
from tests.package.linked import link_package
from tests.package.test_programs import TYPESCRIPT, require_tools
from tests.policy import project
from tests.policy.project import Project
from tests.serving.processes import free_port

__all__ = ["s3_server"]


def of_its_own(folder: Path) -> dict[str, str]:
    """What to replace in a page so that its files and ports are this test's alone."""
    ports = {port: str(free_port()) for port in ("8501", "8503")}
    flags = f"--port={free_port()} --rest_api_port={ports['8501']} --console_port"
    return {"build/tutorial": str(folder), "$PWD/": "", "--console_port": flags, **ports}


@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_a_text_model_with_its_vocabulary(tmp_path: Path) -> None:
    with reading("docs/tutorials/text.md", replace=of_its_own(tmp_path)) as page:
        printed = page.rest()
    ((praise,), (blame,)) = json.loads(printed[-1])["predictions"]
    assert praise > 0.5 > blame
    assert any("file operations    none" in text for text in printed)


def test_a_model_repository_on_s3(tmp_path: Path, s3_server: S3Server) -> None:
    replace = {
        "=training ": f"={ACCESS} ",
        "at-least-eight-letters": SECRET,
        "http://127.0.0.1:7070": s3_server.endpoint,
        "s3://models/mnist": f"s3://{BUCKET}/{tmp_path.name}/mnist",
        "build/tutorial": str(tmp_path),
    }
    with reading("docs/tutorials/s3.md", replace=replace) as page:
        printed = page.rest()
    assert any("1000" in text for text in printed)
    assert (tmp_path / "fetched/1000/saved_model.pb").is_file()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What to replace so that a program of another language, its package and its state are this test's alone."""
    link_package(tmp_path / "package")
    (tmp_path / "state").mkdir()
    (tmp_path / "build" / "tutorial").mkdir(parents=True)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path / 'state'}")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    return {
        "../../../policy": str(ROOT / "policy"),
        "build/tutorial": str(tmp_path / "build" / "tutorial"),
    }


def test_a_program_in_yaml(elsewhere: dict[str, str]) -> None:
    if shutil.which("pulumi-language-yaml", path=project.environment()["PATH"]) is None:
        pytest.skip("needs the language host for YAML: run bin/setup")
    with reading("docs/tutorials/other-languages.md#What a program names") as page:
        assert '"identity"' in page.next()
    with reading("docs/tutorials/other-languages.md#In YAML", replace=elsewhere, saved=("yaml",)) as page:
        *_, previewed = page.rest()
    judged_and_whole(previewed)


@pytest.mark.timeout(1200)
def test_a_program_in_typescript(elsewhere: dict[str, str]) -> None:
    require_tools(TYPESCRIPT, project.environment())
    with reading("docs/tutorials/other-languages.md#In TypeScript", replace=elsewhere) as page:
        *_, previewed = page.rest()
    judged_and_whole(previewed)


def judged_and_whole(previewed: str) -> None:
    assert "✅ tf-serving-platform@v1.0.0" in previewed
    for kind in (
        "apps/v1:Deployment",
        "core/v1:Service",
        "autoscaling/v2:Horizontal",
        "policy/v1:Pod",
        "v1:NetworkPolicy",
    ):
        assert f"kubernetes:{kind}" in previewed.replace("networking.k8s.io/", "")


def test_the_typescript_of_the_tutorial_is_the_example_that_is_run() -> None:
    (block,) = [
        each for each in blocks_of("docs/tutorials/other-languages.md") if each.language == "typescript"
    ]
    assert block.text == (ROOT / "examples/package/typescript/index.ts").read_text()


def settings_of(block: Block) -> dict[str, dict[str, object]]:
    """The sections of a block of configuration, by name."""
    config = yaml.safe_load(block.text)["config"]
    return {name.partition(":")[2]: values for name, values in config.items()}


def previewed(checkout: Project, *flags: str) -> str:
    done = checkout.pulumi("preview", "--stack", "prod", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


GPU_BLOCKS = [block for block in blocks_of("docs/tutorials/gpu.md") if block.language == "yaml"]
ASKS_FOR = ["nvidia.com/gpu : ", "nvidia.com/gpu.shared", "NVIDIA-H100-80GB-HBM3"]


@pytest.mark.parametrize(
    ("block", "asked"), list(zip(GPU_BLOCKS, ASKS_FOR, strict=True)), ids=["one", "a share", "a kind"]
)
def test_a_model_on_gpus_as_far_as_a_preview_goes(block: Block, asked: str, tmp_path: Path) -> None:
    checkout = project.make(tmp_path)
    checkout.write_stack("prod", **settings_of(block))
    assert asked in " ".join(previewed(checkout, "--diff").replace('"', "").split())


@pytest.mark.tensorflow
def test_a_canary_as_far_as_a_preview_goes(tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    checkout = project.make(tmp_path / "checkout")
    stable = ROOT / "examples/mnist/published/1000"
    shutil.copytree(stable, tmp_path / "1100")
    manifest = json.loads((stable / "manifest.json").read_text())
    (tmp_path / "1100/manifest.json").write_text(json.dumps({**manifest, "version": 1100}))
    (begin,) = [block for block in blocks_of("docs/tutorials/canary.md") if block.language == "yaml"]
    sections = settings_of(begin)
    sections["model"] |= {"source": str(stable), "repository": str(tmp_path / "models")}
    sections["canary"] |= {"source": str(tmp_path / "1100")}
    checkout.write_stack("prod", **sections, gpu={"available": 16}, quota={"pods": 16, "gpus": 16})
    said = [previewed(checkout)]
    for line in lines_of_pulumi("docs/tutorials/canary.md", "config"):
        assert checkout.pulumi(*line).returncode == 0
        said.append(previewed(checkout))
    trial, promoted, aborted = said
    assert "canary 1100 is on trial beside stable 1000" in trial
    assert "canary 1100 against stable 1000" in trial
    assert "canary 1100 is promoted" in promoted
    assert "canary 1100 is aborted" in aborted


def lines_of_pulumi(page: str, verb: str) -> list[list[str]]:
    """The words behind `bin/pulumi` of each line of a page that begins so and goes on with `verb`."""
    lines = [
        shlex.split(line)
        for block in blocks_of(page)
        for line in block.text.splitlines()
        if block.language == "sh"
    ]
    return [words[1:] for words in lines if words[:2] == ["bin/pulumi", verb]]

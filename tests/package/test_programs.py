"""The examples in TypeScript and Go, really run: the CLI makes the SDK, the program is previewed, and a mistake in it is the configuration's to tell."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.package.linked import link_package
from tests.policy import project
from tests.policy.project import ROOT, Project

NOBODY = "sha256:" + "0" * 64
OLDEST_NODE = 20
# Fetching and compiling what an SDK stands on, for the first time on a slow machine.
pytestmark = pytest.mark.timeout(1200)


@dataclass(frozen=True, kw_only=True)
class Language:
    """An example, and how to write in it what the configuration refuses."""

    folder: str
    host: str
    tool: str
    program: str
    sound: str
    mistaken: str


LANGUAGES = [
    Language(
        folder="typescript",
        host="pulumi-language-nodejs",
        tool="npm",
        program="index.ts",
        sound="gpu: { count: 1, available: 4 }",
        mistaken='gpu: { product: "H100" }',
    ),
    Language(
        folder="go",
        host="pulumi-language-go",
        tool="go",
        program="main.go",
        sound="GpuArgs{Count: pulumi.IntRef(1), Available: pulumi.IntRef(4)}",
        mistaken='GpuArgs{Product: pulumi.StringRef("H100")}',
    ),
]
TYPESCRIPT, _ = LANGUAGES


def require_tools(language: Language, settings: Mapping[str, str]) -> None:
    for command in (language.host, language.tool):
        if shutil.which(command, path=settings["PATH"]) is None:
            pytest.skip(f"needs {command}: run bin/setup --browser")
    if language is TYPESCRIPT:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
        if int(said.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
            pytest.skip(f"@pulumi/pulumi needs Node {OLDEST_NODE} or newer, and this is {said.strip()}")


def with_its_sdk(language: Language, folder: Path) -> Project:
    settings = project.environment()
    require_tools(language, settings)
    example = folder / "examples" / "package" / language.folder
    shutil.copytree(
        ROOT / "examples" / "package" / language.folder,
        example,
        ignore=shutil.ignore_patterns("sdks", "node_modules", "Pulumi.*.yaml"),
    )
    link_package(folder / "package")
    (folder / "state").mkdir()
    made = Project(
        folder=example, environment=settings | {"PULUMI_BACKEND_URL": f"file://{folder / 'state'}"}
    )
    for words in (
        ("package", "add", "../../../package"),
        ("stack", "init", "dev"),
        ("config", "set", "image", f"registry.example.com/team/models/mnist@{NOBODY}"),
        ("config", "set", "modelDigest", NOBODY),
    ):
        done = made.pulumi(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="module", params=LANGUAGES, ids=lambda language: language.folder)
def language(request: pytest.FixtureRequest) -> Language:
    chosen: Language = request.param
    return chosen


@pytest.fixture(scope="module")
def example(language: Language, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return with_its_sdk(language, tmp_path_factory.mktemp(language.folder))


@pytest.fixture
def mistaken(language: Language, example: Project) -> Iterator[Project]:
    program = example.folder / language.program
    sound = program.read_text(encoding="utf-8")
    assert language.sound in sound
    program.write_text(sound.replace(language.sound, language.mistaken), encoding="utf-8")
    yield example
    program.write_text(sound, encoding="utf-8")


def test_the_example_is_previewed_and_keeps_every_rule(example: Project) -> None:
    asked = example.pulumi("preview", "--stack", "dev", "--policy-pack", str(ROOT / "policy"))
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "✅ tf-serving-platform@v1.0.0" in asked.stdout
    kinds = set(re.findall(r"kubernetes:\S+:(\w+)", asked.stdout))
    assert kinds == {
        "Deployment",
        "HorizontalPodAutoscaler",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    }


def test_a_mistake_is_said_in_the_configurations_words(mistaken: Project) -> None:
    asked = mistaken.pulumi("preview", "--stack", "dev")
    assert asked.returncode != 0
    assert "gpu.product is 'H100' but gpu.count is 0" in asked.stdout + asked.stderr


def test_a_stack_without_configuration_is_told_what_the_program_misses(example: Project) -> None:
    assert example.pulumi("stack", "init", "--no-select", "bare").returncode == 0
    asked = example.pulumi("preview", "--stack", "bare")
    assert asked.returncode != 0
    assert "missing required configuration variable" in (asked.stdout + asked.stderr).lower()


def test_adding_the_package_leaves_the_example_as_it_is_written(language: Language, example: Project) -> None:
    written = ROOT / "examples" / "package" / language.folder
    for name in ("package.json", "package-lock.json", "go.mod", "go.sum"):
        if (written / name).exists():
            assert (example.folder / name).read_text() == (written / name).read_text(), name


in_typescript = pytest.mark.parametrize("language", [TYPESCRIPT], ids=["typescript"], indirect=True)


def types_of(example: Project) -> subprocess.CompletedProcess[str]:
    compiler = [
        "node",
        "node_modules/typescript/bin/tsc",
        "--strict",
        "--noEmit",
        "--project",
        "tsconfig.json",
    ]
    return subprocess.run(compiler, cwd=example.folder, capture_output=True, text=True)


@in_typescript
def test_the_typescript_is_sound_for_a_strict_compiler(example: Project) -> None:
    asked = types_of(example)
    assert asked.returncode == 0, asked.stdout


@in_typescript
def test_a_misspelt_key_is_an_error_of_types(example: Project) -> None:
    program = example.folder / TYPESCRIPT.program
    sound = program.read_text(encoding="utf-8")
    program.write_text(sound.replace("count: 1", "cuont: 1"), encoding="utf-8")
    asked = types_of(example)
    program.write_text(sound, encoding="utf-8")
    assert asked.returncode != 0
    assert "'cuont' does not exist in type 'GpuArgs'" in asked.stdout

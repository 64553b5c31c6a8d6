"""The Dockerfiles by their text: the stages that components ask for, a context of what they copy, and nothing that a pod must not have.

Building them needs BuildKit and a registry: tests/e2e does it for those that the local stack runs.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.components.test_platform import deploy

ROOT = Path(__file__).parents[2]
FETCH = ROOT / "images/fetch.Dockerfile"
TRAINING = ROOT / "examples/training/Dockerfile"
DOCKERFILES = [*sorted((ROOT / "images").glob("*Dockerfile")), TRAINING]
SHOW_IMPORTS = """
import importlib.metadata, runpy, sys
folder, target = sys.argv[1:]
sys.argv = ["model_export", "fetch", folder, "1000", target]
try:
    runpy.run_module("model_export", run_name="__main__")
except SystemExit as end:
    assert not end.code
import botocore.session
from model_export.repository import s3
botocore.session.Session().create_client("s3", region_name="us-east-1")
owners = importlib.metadata.packages_distributions()
names = {name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}
print("imported", *sorted({owner.lower() for name in names for owner in owners.get(name, [])}))
"""
"""Fetches, makes an S3 client, and prints the distributions whose modules that took."""
DELIVERY = {"mode": "init-fetch", "bucket": "s3://models/team"}


def instructions(dockerfile: Path) -> list[str]:
    """Return the instructions with their continuation lines, without comments."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def stage(dockerfile: Path, name: str) -> list[str]:
    """Return the instructions of one stage."""
    lines = instructions(dockerfile)
    starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    (start,) = [number for number in starts if lines[number].endswith(f" AS {name}")]
    return lines[start : next((each for each in starts if each > start), len(lines))]


def test_every_stage_and_argument_that_a_component_names_is_in_its_dockerfile():
    for image in deploy(delivery=DELIVERY).all("Image"):
        dockerfile = ROOT / image.inputs["dockerfile"]["location"]
        assert stage(dockerfile, image.inputs["target"])
        declared = set(re.findall(r"^ARG (\w+)", dockerfile.read_text(), re.MULTILINE))
        assert set(image.inputs["buildArgs"]) - {"SOURCE_DATE_EPOCH"} <= declared


@pytest.mark.parametrize(
    "dockerfile", [FETCH, ROOT / "images/Dockerfile", TRAINING], ids=["fetch", "runtime", "training"]
)
def test_the_context_is_what_the_stages_copy_and_nothing_else(dockerfile: Path):
    rules = dockerfile.with_name(f"{dockerfile.name}.dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = {
        source.rstrip("/")
        for line in instructions(dockerfile)
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    }
    assert rules[1] == "*"
    assert {rule for rule in allowed if not any(rule.startswith(source) for source in copied)} == set()
    assert {source for source in copied if not any(rule.startswith(source) for rule in allowed)} == set()
    assert all((ROOT / path).exists() for path in allowed)


@pytest.mark.parametrize(
    ("dockerfile", "last"),
    [(FETCH, "fetch"), (ROOT / "images/Dockerfile", "runtime")],
    ids=["fetch", "runtime"],
)
def test_what_pods_run_has_no_builder_no_root_and_no_shell_in_front(dockerfile: Path, last: str):
    base, *lines = stage(dockerfile, last)
    assert re.fullmatch(r"FROM \$\{(RUNTIME|BASE)_IMAGE\} AS \w+", base)
    assert [line for line in lines if line.startswith(("RUN", "ADD"))] == []
    assert all("--from=" in line for line in lines if line.startswith("COPY"))
    assert "USER 65532:65532" in lines
    (entry,) = [line for line in lines if line.startswith("ENTRYPOINT")]
    assert entry.startswith('ENTRYPOINT ["/usr/bin/tini", "--", "python3", "-m", ')


def test_the_fetcher_finds_its_modules_before_the_servers():
    (environment,) = [line for line in stage(FETCH, "fetch") if line.startswith("ENV ")]
    folders = environment.partition("=")[2].split(":")
    copied = [line.split()[-1] for line in stage(FETCH, "fetch") if line.startswith("COPY")]
    assert set(folders[:2]) == set(copied)
    assert folders[2:] == ["/opt/serving/app", "/opt/serving/lib"]


def test_the_fetchers_lock_has_all_that_a_fetch_imports(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", SHOW_IMPORTS, str(ROOT / "examples/mnist/published"), str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (tmp_path / "1000/saved_model.pb").is_file(), done.stderr
    imported = set(done.stdout.split("imported ")[1].split())
    locked = {
        line.partition("==")[0]
        for lock in ("fetch", "runtime")
        for line in (ROOT / f"requirements/{lock}.txt").read_text().splitlines()
        if "==" in line
    }
    assert {"boto3", "rich"} <= imported
    # urllib3 and botocore take these where they are installed, and do without; setuptools hooks itself into every start.
    assert imported - locked <= {"certifi", "pyopenssl", "typing_extensions", "setuptools"}


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_base_is_left_to_a_tag_that_moves(dockerfile: Path):
    text = dockerfile.read_text(encoding="utf-8")
    assert ":latest" not in text
    named = re.findall(r"^ARG \w+_IMAGE=(\S+)", text, re.MULTILINE)
    assert [image for image in named if "/" in image and not re.search(r":\S*\d{8}", image)] == []


def test_all_builds_start_from_the_same_debian():
    found = {
        line
        for dockerfile in (FETCH, ROOT / "images/Dockerfile", TRAINING)
        for line in instructions(dockerfile)
        if line.startswith("ARG BUILDER_IMAGE")
    }
    assert len(found) == 1

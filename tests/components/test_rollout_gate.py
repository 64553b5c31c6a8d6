"""The gate: told in every trial, closed at a promotion, and asked again only when a version changes."""

from dataclasses import replace
from pathlib import Path

import pulumi
import pytest

from components.config import CanaryConfig
from components.rollout_gate import judged, objections, tell_distances
from model_export.artifact import FileDigest, ModelArtifact
from model_export.comparison import GOLDEN_FILE, Comparison
from tests.components import examples
from tests.components.declared import Recorder, declare
from tests.model_export.contract import protos

ALIKE = Comparison(questions=3, rows=41, distance=0.02, output="s.y", agreement=0.99, faults=())


def version(folder: Path, number: int, *, digest: str) -> ModelArtifact:
    golden = {GOLDEN_FILE: FileDigest(sha256="9" * 64, size_bytes=9)}
    manifest = replace(examples.manifest(version=number), files=golden, identity=digest)
    (folder / str(number)).mkdir(exist_ok=True)
    return ModelArtifact(path=protos.write(folder / str(number), protos.doubling()), manifest=manifest)


def judge(folder: Path, found: Comparison | str, phase: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the gate on versions 7 and 8, with a shell script for the process that would compare them; return what the stable pods run."""
    answer = found if isinstance(found, str) else f"echo '{found.to_json()}'"
    (folder / "python").write_text(f"#!/bin/sh\necho asked >> {folder}/asked\n{answer}\n")
    (folder / "python").chmod(0o755)
    monkeypatch.setenv("TF_SERVING_PLATFORM_EXPORT_PYTHON", str(folder / "python"))
    config = examples.config(
        model={"repository": str(folder)}, canary={"source": "build/next", "phase": phase}
    )
    stable, candidate = version(folder, 7, digest="sha256:7"), version(folder, 8, digest="sha256:8")
    chosen: list[int] = []
    declare(
        lambda: chosen.extend(
            each.version for each in judged(config, {"mnist": stable}, {"mnist": candidate}).values()
        )
    )
    return chosen[0]


@pytest.mark.parametrize(("phase", "runs"), [("trial", 7), ("promoted", 8), ("aborted", 7)])
def test_a_version_that_answers_alike_passes(phase, runs, tmp_path, monkeypatch):
    assert judge(tmp_path, ALIKE, phase, monkeypatch) == runs


BROKEN = {
    "far away": (
        replace(ALIKE, distance=0.9),
        "s.y differs by 900 thousandths, canary.distancePermille is 500",
    ),
    "other winners": (replace(ALIKE, agreement=0.5), "only 50.0% of the rows have the same winner"),
    "no numbers": (replace(ALIKE, faults=("s.y holds NaN",)), "s.y holds NaN"),
    "no answer": (
        "echo 'error: expected a servable that loads' >&2; exit 1",
        "expected a servable that loads",
    ),
}


@pytest.mark.parametrize(
    ("found", "reason"), BROKEN.values(), ids=[name.replace(" ", "-") for name in BROKEN]
)
def test_a_broken_version_is_not_promoted_and_its_trial_goes_on(found, reason, tmp_path, monkeypatch):
    assert judge(tmp_path, found, "trial", monkeypatch) == 7
    with pytest.raises(pulumi.RunError) as refused:
        judge(tmp_path, found, "promoted", monkeypatch)
    assert reason in str(refused.value)
    assert "set canary.phase to aborted" in str(refused.value)


def test_an_aborted_version_is_not_asked_and_a_pair_is_compared_once(tmp_path, monkeypatch):
    judge(tmp_path, ALIKE, "aborted", monkeypatch)
    assert not (tmp_path / "asked").exists()
    for phase in ("trial", "promoted", "promoted"):
        judge(tmp_path, ALIKE, phase, monkeypatch)
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_canary_that_breaks_the_contract_is_refused_before_it_answers_anybody(tmp_path, monkeypatch):
    judge(tmp_path, ALIKE, "trial", monkeypatch)
    stable, candidate = version(tmp_path, 7, digest="sha256:7"), version(tmp_path, 8, digest="sha256:8")
    info = protos.tensor_info("image:0", 3, None, 4)
    protos.write(candidate.path, protos.saved_model(protos.signature("serving_default", {"image": info}, {})))
    config = examples.config(model={"repository": str(tmp_path)}, canary={"source": "build/next"})
    with pytest.raises(pulumi.RunError, match=r"signatures\.serving_default\.inputs\.image\.dtype"):
        declare(lambda: judged(config, {"mnist": stable}, {"mnist": candidate}))


def test_a_version_without_a_trial_is_compared_with_the_deployed_one_and_goes_on(tmp_path, monkeypatch):
    judge(tmp_path, replace(ALIKE, distance=0.9), "aborted", monkeypatch)
    old, new = version(tmp_path, 7, digest="sha256:7"), version(tmp_path, 8, digest="sha256:8")
    (old.path / "manifest.json").write_text(old.manifest.to_json(), encoding="utf-8")
    config = examples.config(model={"repository": str(tmp_path)})
    for deployed in ({}, {"model_version": 7}, {"model_version": 6}):
        declare(
            lambda: tell_distances(config, {"mnist": new}),
            Recorder(deployed={"models": {"mnist": deployed}}),
        )
    assert (tmp_path / "asked").read_text() == "asked\n"


@pytest.mark.parametrize(
    ("found", "limits", "count"),
    [
        (replace(ALIKE, distance=0.5), CanaryConfig(), 0),
        (replace(ALIKE, distance=0.501), CanaryConfig(), 1),
        (replace(ALIKE, distance=float("inf")), CanaryConfig(distance_permille=0), 0),
        (replace(ALIKE, agreement=0.8), CanaryConfig(), 0),
        (replace(ALIKE, agreement=0.79), CanaryConfig(), 1),
        (replace(ALIKE, agreement=None), CanaryConfig(agreement_percent=100), 0),
        (replace(ALIKE, agreement=0.0, distance=2.0), CanaryConfig(), 2),
    ],
    ids=["at", "beyond", "any distance", "at the share", "below the share", "nothing ranked", "both"],
)
def test_limits_are_inclusive_and_each_has_its_key(found, limits, count):
    assert len(objections(found, limits)) == count

"""What does not fit together is said before anything is built, with the one thing to relax; what is not known is not judged."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.compatibility import (
    RUNTIME_CUDA,
    RUNTIME_TENSORFLOW,
    check_compatibility,
    parse_version,
    warnings,
)
from tests.components import examples
from tests.components.examples import UPSTREAM

ROOT = Path(__file__).parents[2]
GPU = {"gpu": {"count": 1}}
CLAIM = {"gpu": {"count": 1, "deviceClass": "gpu.nvidia.com"}}
ARM = {"images": {"registry": "registry.example.com/team", "platform": "linux/arm64"}}

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "an old cluster": (
        {"cluster": {"kubernetesVersion": "v1.29"}},
        "the pods' drain needs Kubernetes 1.30, but cluster.kubernetesVersion is v1.29; upgrade the cluster",
    ),
    "claims before their time": (
        {"cluster": {"kubernetesVersion": "v1.33"}, **CLAIM},
        "gpu.deviceClass of model mnist needs Kubernetes 1.34, but cluster.kubernetesVersion is v1.33; set gpu.resource in its place",
    ),
    "cuda on arm": (
        {**ARM, **GPU},
        "TensorFlow with CUDA needs linux/amd64, but images.platform is linux/arm64",
    ),
    "the official server on arm": ({**ARM, **UPSTREAM}, "the official TensorFlow Serving needs linux/amd64"),
    "an old driver": (
        {"cluster": {"gpuDriver": "470.82.01"}, **GPU},
        "CUDA 12.9 of the GPU runtime needs driver 525.60.13, but cluster.gpuDriver is 470.82.01; upgrade the driver",
    ),
}


@pytest.mark.parametrize(("sections", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_constraint_names_what_to_relax(sections: dict[str, Any], message: str):
    with pytest.raises(pulumi.RunError) as refused:
        check_compatibility(examples.config(**sections))
    assert message in str(refused.value)


FITTING: dict[str, dict[str, Any]] = {
    "nothing is said": CLAIM,
    "the oldest cluster": {"cluster": {"kubernetesVersion": "v1.30"}},
    "claims": {"cluster": {"kubernetesVersion": "v1.34"}, **CLAIM},
    "cpu on arm": ARM,
    "the oldest driver": {"cluster": {"gpuDriver": "525.60.13"}, **GPU},
    "an old driver that nothing needs": {"cluster": {"gpuDriver": "470.82"}},
    "gpus counted, not used": {
        "cluster": {"gpuDriver": "470.82"},
        **GPU,
        "images": {"registry": "r.example.com/t", "runtime": "cpu"},
    },
}


@pytest.mark.parametrize("sections", FITTING.values(), ids=FITTING.keys())
def test_what_fits_or_is_not_known_passes(sections: dict[str, Any]):
    check_compatibility(examples.config(**sections))


@pytest.mark.parametrize(
    ("sections", "written", "count"),
    [
        ({}, "2.21.4", 0),
        ({}, "2.22.0", 1),
        ({}, "2.9.1", 0),
        (UPSTREAM, "2.20.1", 0),
        (UPSTREAM, "2.21.0", 1),
    ],
    ids=["same", "newer", "older", "served by its release", "newer than the server"],
)
def test_a_model_that_a_newer_tensorflow_wrote_is_a_warning(
    sections: dict[str, Any], written: str, count: int
):
    (served,) = examples.config(**sections).served
    artifact = examples.artifact()
    artifact = replace(artifact, manifest=replace(artifact.manifest, tensorflow_version=written))
    assert len(warnings(served, artifact)) == count


@pytest.mark.parametrize(
    ("text", "version"),
    [("v1.34", (1, 34)), ("2.20.0-gpu", (2, 20, 0)), ("570.86.15", (570, 86, 15)), ("", ())],
)
def test_versions_are_numbers_and_not_texts(text: str, version: tuple[int, ...]):
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("lock", "package", "version"),
    [
        ("serving", "tensorflow-cpu", RUNTIME_TENSORFLOW),
        ("serving-gpu", "tensorflow", RUNTIME_TENSORFLOW),
        ("serving-gpu", "nvidia-cuda-runtime-cu12", RUNTIME_CUDA),
    ],
)
def test_the_runtimes_versions_are_those_of_the_locks(lock: str, package: str, version: tuple[int, ...]):
    text = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
    locked = re.search(rf"^{re.escape(package)}==([\d.]+)", text, re.MULTILINE)
    assert locked and parse_version(locked[1])[:2] == version

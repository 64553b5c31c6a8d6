"""What fits together, known before anything is built: model, runtime, CUDA driver, processor and Kubernetes.

Each constraint says what it needs, what the configuration says it has, and the one thing to relax; what is not said is not judged. Where
TensorFlow promises nothing but often keeps working (a model written by a newer release than reads it), it is a warning.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from components.config import PlatformConfig, ServedModel
from components.errors import ConfigError
from components.plan import accelerator
from model_export.artifact import ModelArtifact

Version: TypeAlias = tuple[int, ...]

RUNTIME_TENSORFLOW: Final = (2, 21)
"""In both runtime images; a test holds it to `requirements/serving.txt` and `serving-gpu.txt`."""
RUNTIME_CUDA: Final = (12, 9)
"""In the GPU runtime image, from the same lock."""
_DRIVER_FOR_CUDA_12: Final = (525, 60, 13)
"""NVIDIA, CUDA Toolkit Release Notes, "Minimum Required Driver Version for CUDA Minor Version Compatibility"."""
_OLDEST_KUBERNETES: Final = (1, 30)
"""The kubelet's `sleep` before SIGTERM is on by default, and the CPU of one container is a stable measure."""
_CLAIMS_KUBERNETES: Final = (1, 34)
"""`resource.k8s.io/v1` is served."""


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """One thing that needs another."""

    what: str
    needs: str
    has: str
    relax: str

    def sentence(self) -> str:
        """Say it in a line."""
        return f"{self.what} needs {self.needs}, but {self.has}; {self.relax}"


def check_compatibility(config: PlatformConfig) -> None:
    """Raise ConfigError for the first constraint that the configuration breaks."""
    for served in config.served:
        for broken in _broken(config, served):
            raise ConfigError(broken.sentence())


def warnings(served: ServedModel, artifact: ModelArtifact) -> list[str]:
    """Return what TensorFlow does not promise to work: a model that a newer release wrote than the one that will read it."""
    written, reads = parse_version(artifact.manifest.tensorflow_version)[:2], _reader(served)
    if not reads or written <= reads:
        return []
    newer, older = _dotted(written), _dotted(reads)
    remedy = (
        "export it with that release" if not served.has_upstream else "name a newer server in upstream.image"
    )
    said = (
        f"version {artifact.version} was written by TensorFlow {newer} and will be read by {older}, which TensorFlow does not promise to "
        f"work; {remedy} if it does not load"
    )
    return [said]


def parse_version(text: str) -> Version:
    """`v1.34`, `2.20.0-gpu` or `570.86.15` as numbers; empty where there are none."""
    return tuple(int(number) for number in re.findall(r"\d+", text.partition("-")[0]))


def _broken(config: PlatformConfig, served: ServedModel) -> Iterator[Constraint]:
    yield from _kubernetes(config, served)
    yield from _processor(config, served)
    yield from _driver(config, served)


def _kubernetes(config: PlatformConfig, served: ServedModel) -> Iterator[Constraint]:
    given = config.cluster.kubernetes_version
    has = f"cluster.kubernetesVersion is {given}"
    if given and parse_version(given) < _OLDEST_KUBERNETES:
        yield Constraint(
            what="the pods' drain",
            needs=f"Kubernetes {_dotted(_OLDEST_KUBERNETES)}",
            has=has,
            relax="upgrade the cluster",
        )
    if given and served.gpu.device_class and parse_version(given) < _CLAIMS_KUBERNETES:
        yield Constraint(
            what=f"gpu.deviceClass of model {served.model.name}",
            needs=f"Kubernetes {_dotted(_CLAIMS_KUBERNETES)}",
            has=has,
            relax="set gpu.resource in its place, or upgrade the cluster",
        )


def _processor(config: PlatformConfig, served: ServedModel) -> Iterator[Constraint]:
    platform = config.images.platform
    has = f"images.platform is {platform}"
    if platform == "linux/amd64":
        return
    if served.has_upstream:
        yield Constraint(
            what="the official TensorFlow Serving",
            needs="linux/amd64",
            has=has,
            relax="set server.runtime to built-in, or images.platform to linux/amd64",
        )
    if accelerator(served, config.images) == "gpu":
        yield Constraint(
            what="TensorFlow with CUDA",
            needs="linux/amd64",
            has=has,
            relax=f"leave out the GPUs of model {served.model.name}, or set images.platform to linux/amd64",
        )


def _driver(config: PlatformConfig, served: ServedModel) -> Iterator[Constraint]:
    given = config.cluster.gpu_driver
    has_cuda = accelerator(served, config.images) == "gpu"
    if given and has_cuda and parse_version(given) < _DRIVER_FOR_CUDA_12:
        yield Constraint(
            what=f"CUDA {_dotted(RUNTIME_CUDA)} of the GPU runtime",
            needs=f"driver {_dotted(_DRIVER_FOR_CUDA_12)}",
            has=f"cluster.gpuDriver is {given}",
            relax="upgrade the driver on the nodes, or set images.runtime to cpu",
        )


def _reader(served: ServedModel) -> Version:
    """Return the TensorFlow that will read the model: TensorFlow Serving's releases are numbered after it."""
    if not served.has_upstream:
        return RUNTIME_TENSORFLOW
    tag = re.search(r":([^:@/]+)@", served.upstream.image)
    return parse_version(tag[1])[:2] if tag else ()


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))

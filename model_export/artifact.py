"""The words of this package: what a servable is, as values.

A leaf on the standard library only, because three sides read it: the exporter that writes a manifest, the Pulumi program that
deploys it, and the tools that compare two of them. A manifest is the JSON file `manifest.json` inside a version folder; it is
written last, so a version folder without one is not finished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from model_export.errors import ManifestError

MANIFEST_NAME: Final = "manifest.json"
MANIFEST_FORMAT: Final = 1
"""Rises when the exporter writes other bytes for the same source, so that stale servables are exported anew."""

Quantization = Literal["fp16", "int8"]
SourceKind = Literal["checkpoint", "saved_model", "keras", "graph_def"]


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One named tensor of a signature."""

    name: str
    """The alias that clients use, such as `images`."""
    dtype: str
    """TensorFlow's name for the element type, such as `float32` or `string`."""
    shape: tuple[int | None, ...] | None
    """Axis sizes; `None` for an axis of any size (usually the batch), and `None` as a whole for an unknown rank."""
    default: str | None = None
    """`sha256:` of the value that a client may leave to the model (`SignatureDef.defaults`); `None` where it must be sent."""

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> TensorSpec:
        """Read what `dataclasses.asdict` made of one; raises KeyError or TypeError where it did not."""
        shape = facts["shape"]
        return cls(
            name=facts["name"],
            dtype=facts["dtype"],
            shape=None if shape is None else tuple(shape),
            default=facts.get("default"),
        )


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One way to ask the model."""

    name: str
    """The signature key, such as `serving_default`."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    method: str = "tensorflow/serving/predict"
    """TensorFlow Serving's method name: `tensorflow/serving/` + `predict`, `classify` or `regress`."""

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Signature:
        """Read what `dataclasses.asdict` made of one; raises KeyError or TypeError where it did not."""
        return cls(
            name=facts["name"],
            inputs=tuple(TensorSpec.from_facts(each) for each in facts["inputs"]),
            outputs=tuple(TensorSpec.from_facts(each) for each in facts["outputs"]),
            method=facts["method"],
        )


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How right the servable was on examples that training never saw."""

    value: float
    """Share of right answers, 0 to 1, or the named metric's own unit."""
    metric: str
    """`top_1`, `top_5`, or the metric's name."""
    examples: int
    """How many examples the value was measured on."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the weights came from."""

    kind: SourceKind
    name: str
    """The file or checkpoint name without its folder, such as `model.ckpt-157585`: no path of the training machine."""
    step: int | None
    """The checkpoint's global step, where it has one."""
    digest: str
    """`sha256:` over the source files and everything that was asked of the exporter: equal digest, equal servable."""


@dataclass(frozen=True, kw_only=True)
class FileDigest:
    """One file of a version folder."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that is known of one version of a servable without loading it."""

    name: str
    version: int
    identity: str
    """`sha256:` of the canonical graph: equal for equal computation, weights and signatures, on any machine."""
    source: Source
    tensorflow_version: str
    node_count: int
    size_bytes: int
    """Bytes of `saved_model.pb` and its assets."""
    signatures: tuple[Signature, ...]
    accuracy: Accuracy | None
    files: Mapping[str, FileDigest]
    """Path inside the version folder -> digest, for every file but the manifest itself."""
    format_version: int = MANIFEST_FORMAT
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Facts of optional steps (tuning profile, quantisation error, preprocessing marks), by step name."""

    def to_json(self) -> str:
        """Return the manifest as JSON with sorted keys: the same facts give the same bytes."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str) -> Manifest:
        """Read a manifest; `where` names it in errors.

        Raises ManifestError when the text is not a manifest, or one of a newer format.
        """
        try:
            facts = json.loads(text)
            found = facts["format_version"]
        except (ValueError, KeyError, TypeError) as error:
            message = (
                f"{where}: expected a model manifest in JSON, received {text[:60]!r}; export the model again"
            )
            raise ManifestError(message) from error
        if found != MANIFEST_FORMAT:
            message = (
                f"{where}: expected manifest format {MANIFEST_FORMAT}, received {found!r}; export the model again, "
                "or use the release that wrote it"
            )
            raise ManifestError(message)
        try:
            return _manifest(facts)
        except (KeyError, TypeError, AttributeError) as error:
            message = f"{where}: the manifest lacks or mistypes {error}; export the model again"
            raise ManifestError(message) from error

    @classmethod
    def read(cls, version_path: Path) -> Manifest:
        """Read `<version_path>/manifest.json`. Raises ManifestError when it is missing or damaged."""
        path = version_path / MANIFEST_NAME
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            message = f"{path}: expected a readable model manifest, received {error}; export the model again"
            raise ManifestError(message) from error
        return cls.from_json(text, where=str(path))


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What the pre-deploy step is asked for: one trained model, to stand as one version in a model repository."""

    name: str
    """Model name, as clients will spell it."""
    source: Path
    """Checkpoint folder or prefix, SavedModel folder, `.keras`/`.h5` file, or frozen GraphDef."""
    base_path: Path
    """The model's folder in the repository; the version folder is made inside it."""
    outputs: tuple[str, ...] = ()
    """Output nodes, `node` or `alias=node`; empty where the source names its own signatures."""
    inputs: tuple[str, ...] = ()
    """Input nodes, `node` or `alias=node`; empty for every placeholder that the outputs need."""
    signature: str = "serving_default"
    """Signature key to give to these inputs and outputs; `serving_default` is always there as well."""
    version: int | None = None
    """Version number; `None` for the checkpoint's step, or 1 where there is none."""
    evaluate: Path | None = None
    """`.npz` with the inputs by alias and `labels`: the accuracy is measured on it and written to the manifest."""
    metric: str = "top_1"
    """What to measure: `top_1`, `top_5` or `mean_absolute_error`."""
    example: Path | None = None
    """`.npz` with one request's inputs by alias, for a model that refuses made-up ones (sparse inputs, protobufs)."""
    builder: str | None = None
    """`path/to/file.py:function` that builds the inference graph, for a checkpoint whose `.meta` is not there."""
    warmup_batch_sizes: tuple[int, ...] = (1, 8, 32)
    """Batch sizes of the warm-up requests that travel with the servable: those that the server will run."""
    optimize: bool = False
    """Fold constants and batch normalisation now instead of at every start of a server; plain ops, any machine."""
    quantize: Quantization | None = None
    """Store the weights as 16-bit floats or 8-bit integers; refused when the answers move too far."""
    error_limit: float | None = None
    """How far quantised answers may be from the source's, relative to the largest of each output; None for 0.01 (fp16) or 0.1."""
    tune: bool = False
    """Measure on this machine which runtime settings answer fastest, and keep them in the manifest."""
    preprocessed: str | None = None
    """Tensor that holds the preprocessed input, such as decoded pixels: the key of the server's input cache."""


@dataclass(frozen=True, kw_only=True)
class ModelArtifact:
    """One verified version of a servable on disk, ready to be put into an image."""

    path: Path
    """The version folder."""
    manifest: Manifest

    @property
    def name(self) -> str:
        """Model name."""
        return self.manifest.name

    @property
    def version(self) -> int:
        """Version number."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """Identity of the canonical graph."""
        return self.manifest.identity


def _manifest(facts: Mapping[str, Any]) -> Manifest:
    accuracy = facts["accuracy"]
    return Manifest(
        name=facts["name"],
        version=facts["version"],
        identity=facts["identity"],
        source=Source(**facts["source"]),
        tensorflow_version=facts["tensorflow_version"],
        node_count=facts["node_count"],
        size_bytes=facts["size_bytes"],
        signatures=tuple(Signature.from_facts(each) for each in facts["signatures"]),
        accuracy=None if accuracy is None else Accuracy(**accuracy),
        files={path: FileDigest(**digest) for path, digest in facts["files"].items()},
        extra=dict(facts.get("extra", {})),
    )

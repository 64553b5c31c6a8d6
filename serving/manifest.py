"""The note that our exporter leaves beside a servable: `<base>/<version>/manifest.json`.

Serving reads only what it needs from it, and serves a folder without one just as well.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.errors import ModelError
from serving.tensors.dtypes import BY_NAME, DataType
from serving.tensors.signatures import TensorSpec

FILE_NAME = "manifest.json"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What the exporter knew about a version."""

    identity: str = ""
    """The digest of what the model computes."""
    accuracy: float | None = None
    """Measured by its trainer, 0 to 1; None when nobody measured."""
    backend_profile: str = ""
    """What was fastest when the exporter tried: `single_thread` or `thread_pool`; empty when it did not try."""
    onednn: str = ""
    """Likewise, `on` or `off`."""
    is_optimized: bool = False
    """Whether the exporter did what TensorFlow's graph optimiser would do at every start: leave it out then."""
    preprocessed: TensorSpec | None = None
    """The tensor between preprocessing and network, where the exporter marked one."""
    preprocessing_identity: str = ""
    """The digest of the preprocessing, if the exporter could name it: equal ones may share what they made."""


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`, or an empty one. Raises ModelError when there is one that cannot be read."""
    path = folder / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
        accuracy = document.get("accuracy")
        extra = document.get("extra", {})
        mark, tuning = extra.get("preprocessed"), extra.get("tuning", {})
        return Manifest(
            identity=str(document.get("identity", "")),
            accuracy=None if accuracy is None else float(accuracy["value"]),
            backend_profile=_one_of(tuning.get("backend_profile"), "single_thread", "thread_pool"),
            onednn=_one_of(tuning.get("onednn"), "on", "off"),
            # Weights stored smaller are widened by the optimiser, once; without it, in every call.
            is_optimized="optimized" in extra and "quantized" not in extra,
            preprocessed=None if mark is None else _read_mark(mark),
            preprocessing_identity="" if mark is None else str(mark.get("identity", "")),
        )
    except FileNotFoundError:
        return Manifest()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            f"expected a manifest with accuracy null or {{'value': number}} at {path}, got: {error!r}; "
            "export the version again, or remove the file to serve without it"
        ) from error


def _one_of(value: object, *known: str) -> str:
    """`value` if it is one that this release knows, else nothing: a newer exporter may know more."""
    return value if isinstance(value, str) and value in known else ""


def _read_mark(mark: Mapping[str, Any]) -> TensorSpec:
    shape = mark["shape"]
    return TensorSpec(
        alias="preprocessed",
        dtype=_by_python_name(mark["dtype"]),
        shape=None if shape is None else tuple(None if size is None else int(size) for size in shape),
        tensor=mark["tensor"],
    )


def _by_python_name(name: str) -> DataType:
    """TensorFlow's Python API says float32 where its C++ says float."""
    names = {"float32": "float", "float64": "double", "float16": "half"}
    return BY_NAME[names.get(name, name)]

"""A manifest from a frozen model: what is known of a servable without loading it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_export.artifact import Accuracy, ExportRequest, Manifest, Signature, Source, TensorSpec
from model_export.canonical import identity
from model_export.fingerprint import file_digest, source_digest, version_of
from model_export.graphs.references import node_of
from model_export.normal_form import FrozenModel
from model_export.servable import FILE_NAME
from model_export.sessions import import_tensorflow
from model_export.source_files import SourceFiles
from model_export.standing import files_of

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo


def describe(
    folder: Path,
    model: FrozenModel,
    *,
    source: SourceFiles,
    request: ExportRequest,
    accuracy: Accuracy | None,
    extra: Mapping[str, Any],
) -> Manifest:
    """Return the manifest of the servable that stands finished in `folder`."""
    files = files_of(folder)
    served = [
        each.size_bytes for name, each in files.items() if name == FILE_NAME or name.startswith("assets/")
    ]
    return Manifest(
        name=request.name,
        version=version_of(source, request),
        identity=identity_of(model),
        source=Source(
            kind=source.kind, name=source.name, step=source.step, digest=source_digest(source, request)
        ),
        tensorflow_version=import_tensorflow().__version__,
        node_count=len(model.graph.node),
        size_bytes=sum(served),
        signatures=tuple(_signature(key, each) for key, each in sorted(model.signatures.items())),
        accuracy=accuracy,
        files=files,
        extra=dict(extra)
        | ({} if model.preprocessed is None else {"preprocessed": asdict(model.preprocessed)}),
    )


def identity_of(model: FrozenModel) -> str:
    """Return the digest of what a frozen model computes, its vocabularies included."""
    contents = {node_of(each.tensor_name): file_digest(each.path).sha256 for each in model.assets}
    return identity(model.graph, model.signatures, initializer=model.initializer, assets=contents)


def _signature(key: str, signature: Any) -> Signature:  # noqa: ANN401 - SignatureDef
    return Signature(
        name=key,
        inputs=tuple(
            replace(_spec(alias, info), default=_default(signature, alias))
            for alias, info in sorted(signature.inputs.items())
        ),
        outputs=tuple(_spec(alias, info) for alias, info in sorted(signature.outputs.items())),
        method=signature.method_name,
    )


def _default(signature: Any, alias: str) -> str | None:  # noqa: ANN401 - SignatureDef
    if alias not in signature.defaults:
        return None
    content = signature.defaults[alias].SerializeToString(deterministic=True)
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _spec(alias: str, info: TensorInfo) -> TensorSpec:
    shape = info.tensor_shape
    sizes = tuple(None if dim.size < 0 else int(dim.size) for dim in shape.dim)
    dtype = import_tensorflow().as_dtype(info.dtype).name
    return TensorSpec(name=alias, dtype=dtype, shape=None if shape.unknown_rank else sizes)

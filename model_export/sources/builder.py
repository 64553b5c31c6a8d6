"""Graphs from a function, for checkpoints whose trainer left no `.meta`.

`path/to/file.py:function` is called without arguments inside an empty TensorFlow 1 graph and builds the inference graph there, with
the variable names of the checkpoint. It may return outputs by alias, `{"scores": tensor}`; else name them with --outputs.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from model_export.errors import SourceError
from model_export.sessions import import_tensorflow
from model_export.sources.endpoints import DEFAULT_SIGNATURE, build_signatures

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef


def build_graph(builder: str) -> dict[str, SignatureDef]:
    """Run the builder in the current graph; return the signature of the outputs that it returned, if it returned any.

    Raises SourceError when there is no such function, or it fails.
    """
    path_text, _, name = builder.rpartition(":")
    path = Path(path_text)
    if not path_text or not path.is_file():
        message = f"expected --builder path/to/file.py:function, received {builder!r}, where there is no such file; correct it"
        raise SourceError(message)
    function = getattr(_load(path), name, None)
    if not callable(function):
        message = f"expected a function {name!r} in {path}, received none of that name; correct --builder"
        raise SourceError(message)
    try:
        outputs = function()
    except Exception as error:
        message = f"expected {builder} to build a graph, received {type(error).__name__}: {error}; correct the function"
        raise SourceError(message) from error
    if not isinstance(outputs, Mapping):
        return {}
    graph = import_tensorflow().compat.v1.get_default_graph()
    named = [f"{alias}={tensor.name}" for alias, tensor in sorted(outputs.items())]
    return build_signatures(graph, inputs=(), outputs=named, key=DEFAULT_SIGNATURE)


def saver_of_graph() -> Any:  # noqa: ANN401 - tf.train.Saver
    """Return a saver for every global variable of the current graph. Raises SourceError when there is none."""
    tf = import_tensorflow()
    variables = tf.compat.v1.global_variables()
    if not variables:
        message = "expected --builder to create variables, received a graph without any; use tf.compat.v1.get_variable"
        raise SourceError(message)
    return tf.compat.v1.train.Saver(variables)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"graph_builder_{path.stem}", path)
    if spec is None or spec.loader is None:
        message = f"expected a Python file at {path}, received something else; correct --builder"
        raise SourceError(message)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.absolute()))  # the function's own neighbours, as if the file were run
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        message = f"expected {path} to import, received {type(error).__name__}: {error}; correct the file"
        raise SourceError(message) from error
    finally:
        sys.path.remove(str(path.parent.absolute()))
    return module

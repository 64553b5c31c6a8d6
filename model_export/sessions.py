"""TensorFlow, imported and configured in one place.

Two ways of running the same graph: `exact`, one thread and no optimiser, where equal graphs give equal bits; and `served`, as a
server runs it, where constants fold and kernels fuse and the last bits move.
"""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

if TYPE_CHECKING:
    from tensorflow.core.protobuf.config_pb2 import ConfigProto
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

_HEADINGS: Final = (
    "Graph execution error",
    "Detected at node",
    "Node:",
    "File ",
    "[[",
    "2 root error",
    "(0)",
    "Traceback",
)


def import_tensorflow() -> Any:  # noqa: ANN401 - TensorFlow ships no types
    """Import TensorFlow, quiet, and with oneDNN set: its default depends on the processor, and with it the last bits."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    return tf


def exact() -> ConfigProto:
    """Return settings under which a graph and its frozen form answer bit for bit alike."""
    config = import_tensorflow().compat.v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = (
        -1
    )  # L0 of OptimizerOptions.Level: no constant folding, no CSE
    return config


def served() -> ConfigProto:
    """Return the settings of a server that was told nothing."""
    return import_tensorflow().compat.v1.ConfigProto()


def release_memory() -> None:
    """Give back what closed sessions held: graphs refer to themselves, and the C library keeps freed pages to itself.

    Without it the second of two loads stands on the first: 0.7 GB of a model of 0.1 GB.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; other C libraries have none
    if trim is not None:
        trim(0)


def run_signature(
    session: Any,  # noqa: ANN401 - tf.Session
    signature: SignatureDef,
    inputs: Mapping[str, NDArray[Any]],
) -> dict[str, NDArray[Any]]:
    """Ask a session one question by alias, and return the answers by alias."""
    fetches = {alias: info.name for alias, info in signature.outputs.items()}
    feeds = {signature.inputs[alias].name: value for alias, value in inputs.items()}
    return dict(session.run(fetches, feeds))


def first_line(error: Exception) -> str:
    """Return the one line of a TensorFlow error that a reader needs, out of headings, graph dumps and stack traces."""
    text = str(getattr(error, "message", None) or error)
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not line.startswith(_HEADINGS)]
    return (telling or lines or [""])[0][:300] or type(error).__name__

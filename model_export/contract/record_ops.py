"""Write `registered_ops.txt`: every operation that the installed TensorFlow registers.

Run `python -m model_export.contract.record_ops` after TensorFlow's version rises in requirements/export.in; a test says when.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

PATH = Path(__file__).with_name("registered_ops.txt")


def registered_text() -> str:
    """Return the file's text. Imports TensorFlow."""
    import tensorflow as tf
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session

    ops = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    names = " ".join(sorted(op.name for op in ops.op))
    return f"# Operations of TensorFlow {tf.__version__}, by model_export.contract.record_ops.\n{textwrap.fill(names, 128)}\n"


if __name__ == "__main__":
    PATH.write_text(registered_text(), encoding="utf-8")

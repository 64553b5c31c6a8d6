"""Runs alone, in a process whose oneDNN setting is fixed: times the warm-up requests under each thread profile.

Best of several rounds, profiles taking turns: on a shared machine the least disturbed round says what the model can do.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from model_export.sessions import import_tensorflow
from model_export.warmup import read_warmup

if TYPE_CHECKING:
    from tensorflow.core.protobuf.config_pb2 import ConfigProto, RunOptions

ROUNDS: Final = 5
ROUND_SECONDS: Final = 0.3
_CALLERS_THREAD: Final = -1
"""RunOptions.inter_op_thread_pool: run in the thread that asks (tensorflow/core/protobuf/config.proto)."""


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Return profile -> batch size -> milliseconds."""
    best: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        batches = _batches(folder)
        first = next(iter(batches.values()))
        calls = {name: _load_one_that_answers(stack, folder, name, first) for name in _PROFILES}
        for batch, inputs in batches.items():
            for call in calls.values():
                call(inputs)
            for _ in range(ROUNDS):
                for name, call in calls.items():
                    elapsed = _time(call, inputs)
                    known = best.setdefault(name, {})
                    known[batch] = min(elapsed, known.get(batch, elapsed))
    return best


def _single_thread() -> tuple[ConfigProto, RunOptions]:
    config, options = _single_thread_plain()
    config.experimental.executor_type = "SINGLE_THREADED_EXECUTOR"
    return config, options


def _single_thread_plain() -> tuple[ConfigProto, RunOptions]:
    v1 = import_tensorflow().compat.v1
    config = v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1, use_per_session_threads=True
    )
    options = v1.RunOptions()
    options.inter_op_thread_pool = _CALLERS_THREAD
    return config, options


def _thread_pool() -> tuple[ConfigProto, RunOptions]:
    v1 = import_tensorflow().compat.v1
    return v1.ConfigProto(), v1.RunOptions()


_PROFILES: Final = {"single_thread": (_single_thread, _single_thread_plain), "thread_pool": (_thread_pool,)}
"""Name -> ways to be it, the best first: the lean executor refuses graphs with loops of TensorFlow 1, as the server knows."""


def _batches(folder: Path) -> dict[str, Any]:
    requests = read_warmup(folder)
    return {
        str(max((len(values) for values in each.inputs.values() if values.ndim), default=1)): each
        for each in requests
    }


def _load_one_that_answers(
    stack: ExitStack,
    folder: Path,
    name: str,
    request: Any,  # noqa: ANN401 - a protobuf message, which has no static type here
) -> Callable[[Any], object]:
    tf = import_tensorflow()
    *better, last = _PROFILES[name]
    for way in better:
        call = _load(stack, folder, *way())
        try:
            call(request)
        except tf.errors.OpError:
            continue
        return call
    return _load(stack, folder, *last())


def _load(
    stack: ExitStack, folder: Path, config: ConfigProto, options: RunOptions
) -> Callable[[Any], object]:
    tf = import_tensorflow()
    graph = tf.Graph()
    session = stack.enter_context(tf.compat.v1.Session(graph=graph, config=config))
    with graph.as_default():
        signatures = tf.compat.v1.saved_model.load(session, ["serve"], str(folder)).signature_def

    def call(request: Any) -> object:  # noqa: ANN401 - a warm-up request
        signature = signatures[request.signature]
        fetches = [info.name for _, info in sorted(signature.outputs.items())]
        feeds = {signature.inputs[alias].name: values for alias, values in request.inputs.items()}
        return session.run(fetches, feeds, options=options)

    return call


def _time(call: Callable[[Any], object], request: Any) -> float:  # noqa: ANN401 - a warm-up request
    """Return milliseconds per call, over as many calls as fit into a round."""
    started, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - started < ROUND_SECONDS:
        call(request)
        count += 1
    return (time.perf_counter() - started) * 1000.0 / count


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1])), sort_keys=True))

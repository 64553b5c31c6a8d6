"""A session of TensorFlow's C library: the cheapest call that TensorFlow offers.

One session is made when a version loads and serves every request of its life. Running in the caller's
thread on the single-threaded executor took a small model from 2300 to 13700 calls a second against
`Session.run`; the profile decides when that is right.
"""

import ctypes
import weakref
from collections.abc import Sequence
from pathlib import Path

from serving.backend import graphs, transfer
from serving.backend.library import Buffer, Library, Output, Pointer
from serving.backend.profile import Profile
from serving.backend.seam import Runner
from serving.backend.status import error_for
from serving.errors import ModelError
from serving.tensors.dtypes import Array
from serving.tensors.meta_graphs import read_signatures
from serving.tensors.signatures import TensorSpec


class NativeSession:
    """A loaded SavedModel. Thread safe: a TF_Session may run in many threads at once."""

    def __init__(self, library: Library, folder: Path, *, tags: Sequence[str], profile: Profile) -> None:
        self._library = library
        self._graph = library.NewGraph()
        self._session, meta_graph_bytes = self._load(folder, tags, profile.session_config)
        self.runs_in_callers_thread = profile.is_single_threaded
        self.meta_graph = graphs.without_graph(meta_graph_bytes)
        self.signatures = read_signatures(self.meta_graph)
        self._run_options = library.NewBufferFromString(profile.run_options, len(profile.run_options))
        # A version may be withdrawn while requests still run it. Each runner holds its session, so the session
        # is closed when the last of them is gone, in whichever thread that is.
        self._finalizer = weakref.finalize(
            self, _close, library, self._session, self._graph, self._run_options
        )
        self._finalizer.atexit = False

    def bind(self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Runner:
        library, run_options = self._library, self._run_options
        sources = (Output * len(inputs))(*[self._output(spec) for spec in inputs])
        targets = (Output * len(outputs))(*[self._output(spec) for spec in outputs])
        dtypes = [spec.dtype for spec in inputs]
        source_count, target_count = len(inputs), len(outputs)

        def run(arrays: Sequence[Array]) -> list[Array]:
            tensors = [
                transfer.to_tensor(library, array, dtype) for array, dtype in zip(arrays, dtypes, strict=True)
            ]
            results = (Pointer * target_count)()
            status = library.NewStatus()
            try:
                library.SessionRun(
                    self._session, run_options,
                    sources, (Pointer * source_count)(*tensors), source_count,
                    targets, results, target_count,
                    None, 0, None, status,
                )  # fmt: skip
                _check(library, status)
                return [transfer.to_array(library, result) for result in results if result]
            finally:
                for result in results:
                    if result:
                        library.DeleteTensor(result)
                for tensor, array, dtype in zip(tensors, arrays, dtypes, strict=True):
                    transfer.delete_input(library, tensor, array, dtype)
                library.DeleteStatus(status)

        return run

    def close(self) -> None:
        self._finalizer()

    def _load(self, folder: Path, tags: Sequence[str], config: bytes) -> tuple[int, bytes]:
        library = self._library
        status, options, meta_graph = library.NewStatus(), library.NewSessionOptions(), library.NewBuffer()
        try:
            library.SetConfig(options, config, len(config), status)
            _check(library, status)
            names = (ctypes.c_char_p * len(tags))(*[tag.encode() for tag in tags])
            session = library.LoadSessionFromSavedModel(
                options, None, str(folder).encode(), names, len(tags), self._graph, meta_graph, status
            )
            _check(library, status, loading=folder)
            return session, _contents(meta_graph.contents)
        finally:
            library.DeleteBuffer(meta_graph)
            library.DeleteSessionOptions(options)
            library.DeleteStatus(status)

    def _output(self, spec: TensorSpec) -> Output:
        name, _, index = spec.tensor.partition(":")
        operation = self._library.GraphOperationByName(self._graph, name.encode())
        if not operation:
            raise ModelError(
                f"the signature names the tensor {spec.tensor}, but the graph has no operation {name}"
            )
        return Output(operation, int(index or 0))


def _close(library: Library, session: int, graph: int, run_options: object) -> None:
    status = library.NewStatus()
    library.CloseSession(session, status)
    library.DeleteSession(session, status)
    library.DeleteStatus(status)
    library.DeleteGraph(graph)
    library.DeleteBuffer(run_options)


def _contents(buffer: Buffer) -> bytes:
    return ctypes.string_at(buffer.data, buffer.length)


def _check(library: Library, status: int, *, loading: Path | None = None) -> None:
    code = library.GetCode(status)
    if code == 0:
        return
    message = library.Message(status).decode(errors="replace")
    if loading is not None:
        raise ModelError(f"expected a SavedModel that TensorFlow can load in {loading}, got: {message}")
    raise error_for(code, message)

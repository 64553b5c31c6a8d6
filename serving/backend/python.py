"""A session of TensorFlow's public Python API: slower to start and to call, but public.

The shared libraries inside the wheel are no promised interface. Should a release lack a function, the
server still serves with this.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.backend import graphs
from serving.backend.profile import Profile
from serving.backend.seam import Runner
from serving.backend.status import error_for
from serving.errors import InvalidRequest, ModelError
from serving.protos import config_pb2
from serving.tensors.dtypes import Array, DataType
from serving.tensors.meta_graphs import read_signatures
from serving.tensors.signatures import TensorSpec


class PythonSession:
    """A loaded SavedModel behind `tf.compat.v1.Session`. Thread safe, as that class is."""

    def __init__(self, folder: Path, *, tags: Sequence[str], profile: Profile) -> None:
        # Any: TensorFlow ships no types, and this is the only module that imports it.
        self._tf: Any = importlib.import_module("tensorflow")
        self._graph = self._tf.Graph()
        config = config_pb2.ConfigProto.FromString(profile.session_config)
        self._session = self._tf.compat.v1.Session(graph=self._graph, config=config)
        self._options = config_pb2.RunOptions.FromString(profile.run_options)
        try:
            with self._graph.as_default():
                loaded = self._tf.compat.v1.saved_model.load(self._session, list(tags), str(folder))
        except (OSError, RuntimeError, ValueError, self._tf.errors.OpError) as error:
            raise ModelError(
                f"expected a SavedModel that TensorFlow can load in {folder}, got: {error}"
            ) from error
        self.runs_in_callers_thread = False
        self.meta_graph = graphs.without_graph(loaded.SerializeToString())
        self.signatures = read_signatures(self.meta_graph)

    def bind(self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Runner:
        sources = [(self._tensor(spec), spec.dtype) for spec in inputs]
        targets = [self._tensor(spec) for spec in outputs]
        kinds = [spec.dtype for spec in outputs]

        def run(arrays: Sequence[Array]) -> list[Array]:
            feeds = {
                tensor: self._to_tensorflow(array, dtype)
                for (tensor, dtype), array in zip(sources, arrays, strict=True)
            }
            try:
                results = self._session.run(targets, feeds, options=self._options)
            except self._tf.errors.OpError as error:
                raise error_for(error.error_code, _reason(error.message)) from error
            except (
                ValueError
            ) as error:  # this way of calling checks shapes itself, where the C library asks the graph
                raise InvalidRequest(str(error)) from error
            return [_from_tensorflow(result, dtype) for result, dtype in zip(results, kinds, strict=True)]

        return run

    def close(self) -> None:
        self._session.close()

    def _tensor(self, spec: TensorSpec) -> Any:  # noqa: ANN401 - TensorFlow ships no types
        try:
            return self._graph.get_tensor_by_name(spec.tensor)
        except (KeyError, ValueError) as error:
            raise ModelError(
                f"the signature names the tensor {spec.tensor}, which the graph lacks"
            ) from error

    def _to_tensorflow(self, array: Array, dtype: DataType) -> Array:
        numpy_type = self._tf.dtypes.as_dtype(dtype.number).as_numpy_dtype
        return array if dtype.is_string or array.dtype == numpy_type else array.view(numpy_type)


def _from_tensorflow(result: Any, dtype: DataType) -> Array:  # noqa: ANN401 - an array or a scalar
    if dtype.is_string:
        return np.asarray(result, object)
    array = np.asarray(result)
    return array if array.dtype == dtype.storage else array.view(dtype.storage)


def _reason(message: str) -> str:
    """The sentence of an error, from between the stack of its node and the list of nodes."""
    before_nodes, _, _ = message.partition("\n\t [[")
    return before_nodes.strip().splitlines()[-1] if before_nodes.strip() else message

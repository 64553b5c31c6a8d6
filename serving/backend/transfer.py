"""Arrays into TensorFlow's tensors and back, by copying.

Numbers are one memory copy. Strings are `TF_TString` values (tensorflow/c/tf_tstring.h), 24 bytes each, which
own memory of their own: those that we wrote are freed by us, those that TensorFlow wrote are freed with
their tensor. Inputs are freed only after the outputs were read, because an output may share its memory.
"""

import ctypes

import numpy as np

from serving.backend.library import Library
from serving.errors import ModelError
from serving.tensors.dtypes import BY_NUMBER, Array, DataType

STRING_BYTES = 24
"""sizeof(TF_TString) on every 64-bit platform."""

Handle = int
"""The address of a TF_Tensor."""


def to_tensor(library: Library, array: Array, dtype: DataType) -> Handle:
    """A new TF_Tensor that holds a copy of `array`; end it with `delete_input`."""
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    if dtype.is_string:
        return _string_tensor(library, array, shape)
    contiguous = np.ascontiguousarray(array, dtype.storage)
    tensor: Handle = library.AllocateTensor(dtype.number, shape, array.ndim, contiguous.nbytes)
    ctypes.memmove(library.TensorData(tensor), contiguous.ctypes.data, contiguous.nbytes)
    return tensor


def _string_tensor(library: Library, array: Array, shape: "ctypes.Array[ctypes.c_int64]") -> Handle:
    tensor: Handle = library.AllocateTensor(7, shape, array.ndim, STRING_BYTES * array.size)
    address = library.TensorData(tensor)
    for value in array.flat:
        library.StringInit(address)
        library.StringCopy(address, value, len(value))
        address += STRING_BYTES
    return tensor


def delete_input(library: Library, tensor: Handle, array: Array, dtype: DataType) -> None:
    if dtype.is_string:
        first = library.TensorData(tensor)
        for index in range(array.size):
            library.StringDealloc(first + index * STRING_BYTES)
    library.DeleteTensor(tensor)


def to_array(library: Library, tensor: Handle) -> Array:
    """A copy of what `tensor` holds. Raises ModelError for a type that has no place in an array."""
    number = library.TensorType(tensor)
    if number not in BY_NUMBER:
        raise ModelError(f"the model answered with a tensor of data type {number}, which cannot be sent")
    dtype = BY_NUMBER[number]
    shape = tuple(library.Dim(tensor, axis) for axis in range(library.NumDims(tensor)))
    if dtype.is_string:
        return _read_strings(library, tensor, shape)
    array = np.empty(shape, dtype.storage)
    ctypes.memmove(array.ctypes.data, library.TensorData(tensor), array.nbytes)
    return array


def _read_strings(library: Library, tensor: Handle, shape: tuple[int, ...]) -> Array:
    array = np.empty(shape, object)
    address = library.TensorData(tensor)
    for index in range(array.size):
        item = address + index * STRING_BYTES
        array.flat[index] = ctypes.string_at(library.StringGetDataPointer(item), library.StringGetSize(item))
    return array

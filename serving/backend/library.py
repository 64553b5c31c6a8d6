"""TensorFlow's C library through ctypes: finding it, loading it, declaring what is called.

Only the two shared libraries of the TensorFlow wheel are needed, not its Python package: a process starts
in half a second and a server image holds two files instead of a gigabyte. Every function's argument types
are declared, because ctypes otherwise cuts pointers to 32 bits. The libraries are opened with local
symbols: with global ones numpy's random module crashes on a symbol clash.

Calls that take long release Python's lock (`CDLL`); the many short ones keep it (`PyDLL`), because a thread
that lets go of the lock around a call of 100 ns may wait 5 ms to get it back from a busy event loop.
"""

import ctypes
import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving.errors import ModelError

Pointer = ctypes.c_void_p
FRAMEWORK, COMPLETE = "libtensorflow_framework.so.2", "libtensorflow_cc.so.2"


class Buffer(ctypes.Structure):
    """TF_Buffer of tensorflow/c/tf_buffer.h."""

    _fields_ = (("data", Pointer), ("length", ctypes.c_size_t), ("deallocator", Pointer))


class Output(ctypes.Structure):
    """TF_Output of tensorflow/c/c_api.h: one output of an operation."""

    _fields_ = (("operation", Pointer), ("index", ctypes.c_int))


_INT, _SIZE, _TEXT = ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
_BUFFER, _OUTPUTS, _POINTERS = ctypes.POINTER(Buffer), ctypes.POINTER(Output), ctypes.POINTER(Pointer)
_DIMENSIONS = ctypes.POINTER(ctypes.c_int64)

# name: (result, arguments), from tensorflow/c/c_api.h, tf_tensor.h, tf_buffer.h, tf_status.h and tf_tstring.h.
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "TF_Version": (_TEXT, ()),
    "TF_NewStatus": (Pointer, ()),
    "TF_DeleteStatus": (None, (Pointer,)),
    "TF_GetCode": (_INT, (Pointer,)),
    "TF_Message": (_TEXT, (Pointer,)),
    "TF_NewBuffer": (_BUFFER, ()),
    "TF_NewBufferFromString": (_BUFFER, (_TEXT, _SIZE)),
    "TF_DeleteBuffer": (None, (_BUFFER,)),
    "TF_NewGraph": (Pointer, ()),
    "TF_DeleteGraph": (None, (Pointer,)),
    "TF_GraphOperationByName": (Pointer, (Pointer, _TEXT)),
    "TF_NewSessionOptions": (Pointer, ()),
    "TF_DeleteSessionOptions": (None, (Pointer,)),
    "TF_SetConfig": (None, (Pointer, _TEXT, _SIZE, Pointer)),
    "TF_LoadSessionFromSavedModel": (
        Pointer,
        (Pointer, Pointer, _TEXT, ctypes.POINTER(_TEXT), _INT, Pointer, _BUFFER, Pointer),
    ),
    "TF_SessionRun": (
        None,
        (
            Pointer,
            _BUFFER,
            _OUTPUTS,
            _POINTERS,
            _INT,
            _OUTPUTS,
            _POINTERS,
            _INT,
            _POINTERS,
            _INT,
            Pointer,
            Pointer,
        ),
    ),
    "TF_CloseSession": (None, (Pointer, Pointer)),
    "TF_DeleteSession": (None, (Pointer, Pointer)),
    "TF_AllocateTensor": (Pointer, (_INT, _DIMENSIONS, _INT, _SIZE)),
    "TF_DeleteTensor": (None, (Pointer,)),
    "TF_TensorType": (_INT, (Pointer,)),
    "TF_TensorData": (Pointer, (Pointer,)),
    "TF_TensorByteSize": (_SIZE, (Pointer,)),
    "TF_NumDims": (_INT, (Pointer,)),
    "TF_Dim": (ctypes.c_int64, (Pointer, _INT)),
    "TF_StringInit": (None, (Pointer,)),
    "TF_StringCopy": (None, (Pointer, _TEXT, _SIZE)),
    "TF_StringGetDataPointer": (Pointer, (Pointer,)),
    "TF_StringGetSize": (_SIZE, (Pointer,)),
    "TF_StringDealloc": (None, (Pointer,)),
}

_LONG_CALLS = {"TF_LoadSessionFromSavedModel", "TF_SessionRun", "TF_CloseSession", "TF_DeleteSession"}


class Library:
    """The declared functions of one pair of libraries, as attributes without their `TF_`.

    Raises ModelError when a library or a function is missing: the caller may then use another backend.
    """

    def __init__(self, folder: Path) -> None:
        unlocking = [_open(ctypes.CDLL, folder / name) for name in (FRAMEWORK, COMPLETE)]
        keeping = [_open(ctypes.PyDLL, folder / name) for name in (FRAMEWORK, COMPLETE)]
        for name, (result, arguments) in _FUNCTIONS.items():
            function = _find(unlocking if name in _LONG_CALLS else keeping, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name.removeprefix("TF_"), function)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Only reached for what __init__ did not declare; it also tells the type checker what attributes are.
        raise AttributeError(f"TF_{name} is not declared in serving.backend.library")

    @property
    def version(self) -> str:
        return str(self.Version().decode())


@functools.cache
def open_library(folder: str) -> Library:
    """The library in `folder`, or beside the installed tensorflow package when it is empty.

    Opened once per process. Raises ModelError when it is not there or lacks a function.
    """
    return Library(Path(folder) if folder else _installed_folder())


def _installed_folder() -> Path:
    spec = importlib.util.find_spec("tensorflow")
    locations = list(spec.submodule_search_locations or []) if spec else []
    if not locations:
        raise ModelError(
            f"expected {COMPLETE} beside an installed tensorflow package, found no such package; "
            "set TFSP_TENSORFLOW_LIBRARY_DIR to its folder"
        )
    return Path(locations[0])


def _open(kind: type[ctypes.CDLL], path: Path) -> ctypes.CDLL:
    try:
        return kind(str(path))
    except OSError as error:
        raise ModelError(
            f"expected TensorFlow's library at {path}, got: {error}; set TFSP_TENSORFLOW_LIBRARY_DIR to its folder"
        ) from error


def _find(libraries: list[ctypes.CDLL], name: str) -> Any:  # noqa: ANN401 - ctypes has no public function type
    for library in libraries:
        if hasattr(library, name):
            return getattr(library, name)
    raise ModelError(
        f"expected the function {name} in TensorFlow's C library, found none; use --backend=python"
    )

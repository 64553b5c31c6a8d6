"""Write `known_names.txt`: the classes and functions that a config of the installed Keras may name.

Run `python -m model_export.keras_file.record_names` after Keras' version rises in requirements/export.in; a test says when.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

PATH = Path(__file__).with_name("known_names.txt")

_MODULES = (
    "layers",
    "initializers",
    "regularizers",
    "constraints",
    "optimizers",
    "optimizers.schedules",
    "losses",
    "metrics",
)
_MORE_MODULES = ("activations", "quantizers", "random", "models", "dtype_policies")
_CODE = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
_LOOKUPS = frozenset(
    {"get", "serialize", "deserialize", "clone_model", "load_model", "save_model", "model_from_json"}
)


def known_names_text() -> str:
    """Return the file's text. Imports Keras."""
    import keras

    modules = [importlib.import_module(f"keras.{name}") for name in (*_MODULES, *_MORE_MODULES)]
    classes = {name for module in modules for name, each in vars(module).items() if inspect.isclass(each)}
    classes |= {"DTypePolicy", "FloatDTypePolicy", "Functional", *_operations()}
    functions = {
        name for module in modules for name, each in vars(module).items() if inspect.isfunction(each)
    }
    return (
        f"# Names of Keras {keras.__version__}, by model_export.keras_file.record_names.\n"
        f"[classes]\n{_wrapped(classes - _CODE)}\n[functions]\n{_wrapped(functions - _LOOKUPS)}\n"
    )


def _operations() -> Iterator[str]:
    import keras.src.ops as ops
    from keras.src.ops.operation import Operation

    for module in _inner_modules(ops):
        yield from (
            name
            for name, each in vars(module).items()
            if inspect.isclass(each) and issubclass(each, Operation)
        )


def _inner_modules(package: ModuleType) -> Iterator[ModuleType]:
    for each in pkgutil.iter_modules(package.__path__):
        if not each.name.endswith("_test"):
            yield importlib.import_module(f"{package.__name__}.{each.name}")


def _wrapped(names: set[str]) -> str:
    return textwrap.fill(" ".join(sorted(names)), 128)


if __name__ == "__main__":
    PATH.write_text(known_names_text(), encoding="utf-8")

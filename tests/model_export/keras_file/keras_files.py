"""Keras files written by hand: honest ones and hostile ones, without Keras."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

METADATA = json.dumps({"keras_version": "3.15.1"})
MARSHAL = "4wEAAAAAAAAAAAAAAAEAAAACAAAA8wYAAACXAHwAUwCpAA=="


def hdf5(change: Callable[[h5py.File], object] = lambda _file: None) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/dense/vars/0"] = np.zeros((4, 2), np.float32)
        change(file)
    return buffer.getvalue()


def layer(
    class_name: Any, name: str = "bad", module: Any = "keras.layers", registered: Any = None, **config: Any
) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": class_name,
        "config": {"name": name, **config},
        "registered_name": registered,
        "inbound_nodes": [],
    }


INPUT = layer("InputLayer", "image", batch_shape=[None, 4])
DENSE = layer("Dense", "scores", units=2, activation="softmax")


def model(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {"name": "model", "layers": [INPUT, *layers]},
        "registered_name": "Functional",
        **more,
    }


def keras_archive(
    config: dict[str, Any] | str,
    *,
    weights: bytes | None = None,
    members: tuple[tuple[str | zipfile.ZipInfo, bytes], ...] = (),
    without: str = "",
    method: int = zipfile.ZIP_STORED,
) -> bytes:
    buffer = io.BytesIO()
    ordinary = {
        "metadata.json": METADATA,
        "config.json": config if isinstance(config, str) else json.dumps(config),
        "model.weights.h5": hdf5() if weights is None else weights,
    }
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in ordinary.items():
            if name != without:
                archive.writestr(name, content)
        for member, extra in members:
            archive.writestr(member, extra)
    return buffer.getvalue()


def h5_file(
    config: dict[str, Any] | str | None,
    change: Callable[[h5py.File], object] = lambda _file: None,
    training: Any = None,
) -> bytes:
    def write(file: h5py.File) -> None:
        file.attrs["keras_version"] = "3.15.1"
        if config is not None:
            file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
        change(file)

    return hdf5(write)


def write(folder: Path, content: bytes, name: str = "model.keras") -> Path:
    (folder / name).write_bytes(content)
    return folder / name

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model_export.artifact import ExportRequest
from model_export.errors import SourceError
from model_export.fingerprint import file_digest, source_digest, version_of
from model_export.source_files import locate


def request(folder: Path) -> ExportRequest:
    (folder / "model.ckpt-5.index").write_bytes(b"index")
    (folder / "model.ckpt-5.data-00000-of-00001").write_bytes(b"weights")
    return ExportRequest(
        name="m", source=folder / "model.ckpt-5", base_path=folder / "models", outputs=("y",)
    )


def digest(asked: ExportRequest) -> str:
    return source_digest(locate(asked.source), asked)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "other"},
        {"outputs": ("z",)},
        {"inputs": ("x",)},
        {"signature": "predict_images"},
        {"version": 6},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_everything_that_is_asked_for_changes_the_digest(changed: dict[str, Any], tmp_path: Path) -> None:
    asked = request(tmp_path)

    assert digest(replace(asked, **changed)) != digest(asked)


def test_one_bit_of_a_source_file_changes_the_digest(tmp_path: Path) -> None:
    asked = request(tmp_path)
    before = digest(asked)

    (tmp_path / "model.ckpt-5.data-00000-of-00001").write_bytes(b"weighus")

    assert digest(asked) != before


def test_the_examples_to_measure_on_change_the_digest(tmp_path: Path) -> None:
    asked = request(tmp_path)
    (tmp_path / "heldout.npz").write_bytes(b"examples")

    assert digest(replace(asked, evaluate=tmp_path / "heldout.npz")) != digest(asked)


def test_places_do_not_change_the_digest(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()

    assert digest(request(tmp_path / "here")) == digest(request(tmp_path / "there"))


@pytest.mark.parametrize(
    ("prefix", "asked", "version"),
    [("m.ckpt-5", None, 5), ("m.ckpt-5", 9, 9), ("m.ckpt", None, 1), ("m.ckpt-0", None, 1)],
    ids=["the step", "what was asked for", "one without a step", "one for step zero"],
)
def test_the_version_is(prefix: str, asked: int | None, version: int, tmp_path: Path) -> None:
    (tmp_path / prefix).write_bytes(b"first format")

    wanted = ExportRequest(name="m", source=tmp_path / prefix, base_path=tmp_path, version=asked)

    assert version_of(locate(wanted.source), wanted) == version


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"expected a readable file at .*missing\.npz, received: No such file"
    ):
        file_digest(tmp_path / "missing.npz")

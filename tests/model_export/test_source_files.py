from collections.abc import Callable
from pathlib import Path

import pytest

from model_export.errors import SourceError
from model_export.source_files import locate

PARTS = (".index", ".meta", ".data-00000-of-00001")


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def checkpoint(folder: Path, prefix: str, state: str | None = None) -> None:
    write(folder, *(prefix + part for part in PARTS))
    if state is not None:
        (folder / "checkpoint").write_text(state)


@pytest.mark.parametrize("given", ["", "model.ckpt-20", "model.ckpt-20.index", "model.ckpt-20.meta"])
def test_a_checkpoint_is_found_by_folder_prefix_or_part(given: str, tmp_path: Path) -> None:
    checkpoint(tmp_path, "model.ckpt-20", 'model_checkpoint_path: "model.ckpt-20"\n')

    found = locate(tmp_path / given)

    assert (found.kind, found.path, found.step) == ("checkpoint", tmp_path / "model.ckpt-20", 20)
    assert [each.name for each in found.files] == sorted("model.ckpt-20" + part for part in PARTS)


def test_the_state_file_chooses_among_checkpoints(tmp_path: Path) -> None:
    checkpoint(tmp_path, "model.ckpt-20")
    checkpoint(
        tmp_path, "model.ckpt-9", 'model_checkpoint_path: "model.ckpt-9"\nall_model_checkpoint_paths: "x"\n'
    )

    assert locate(tmp_path).name == "model.ckpt-9"


def test_a_folder_that_was_moved_after_training_still_finds_its_checkpoint(tmp_path: Path) -> None:
    checkpoint(tmp_path, "model.ckpt-20", 'model_checkpoint_path: "/where/it/was/model.ckpt-20"\n')

    assert locate(tmp_path).path == tmp_path / "model.ckpt-20"


def test_a_lone_checkpoint_needs_no_state_file(tmp_path: Path) -> None:
    checkpoint(tmp_path, "model.ckpt-20")

    assert locate(tmp_path).name == "model.ckpt-20"


def test_a_checkpoint_without_a_number_has_no_step(tmp_path: Path) -> None:
    checkpoint(tmp_path, "best")

    assert locate(tmp_path / "best").step is None


@pytest.mark.parametrize(
    ("names", "given", "kind", "path"),
    [
        (("m/saved_model.pb", "m/variables/variables.index"), "m", "saved_model", "m"),
        (("m/saved_model.pb",), "m/saved_model.pb", "saved_model", "m"),
        (("m.keras",), "m.keras", "keras", "m.keras"),
        (("m.h5",), "m.h5", "keras", "m.h5"),
        (("graph.pb",), "graph.pb", "graph_def", "graph.pb"),
        (("old.ckpt-3",), "old.ckpt-3", "checkpoint", "old.ckpt-3"),
    ],
    ids=["SavedModel", "its protobuf", ".keras", ".h5", "GraphDef", "checkpoint of the first format"],
)
def test_every_kind_of_source_is_told_by_its_names(
    names: tuple[str, ...], given: str, kind: str, path: str, tmp_path: Path
) -> None:
    write(tmp_path, *names)

    found = locate(tmp_path / given)

    assert (found.kind, found.path) == (kind, tmp_path / path)
    assert {each.relative_to(tmp_path).as_posix() for each in found.files} == set(names)


def nothing(folder: Path) -> None:
    folder.mkdir(exist_ok=True)


def two_without_state(folder: Path) -> None:
    checkpoint(folder, "model.ckpt-1")
    checkpoint(folder, "model.ckpt-2")


def missing_shard(folder: Path) -> None:
    write(folder, "model.ckpt-1.index", "model.ckpt-1.data-00000-of-00002")


def unreadable_state(folder: Path) -> None:
    checkpoint(folder, "model.ckpt-1", "nothing of use")


def state_of_a_missing_one(folder: Path) -> None:
    nothing(folder)
    (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"')


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (nothing, "received neither; train first"),
        (two_without_state, "received checkpoints model.ckpt-1, model.ckpt-2 and no file `checkpoint`"),
        (missing_shard, r"expected 2 data file\(s\).*received 1"),
        (unreadable_state, "expected `model_checkpoint_path:"),
        (state_of_a_missing_one, "received no such file; train first"),
    ],
)
def test_what_is_not_a_whole_model_is_one_sentence(
    prepare: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    prepare(tmp_path)

    with pytest.raises(SourceError, match=reason):
        locate(tmp_path)


def test_a_path_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="received no such file"):
        locate(tmp_path / "nowhere" / "model.ckpt-1")

"""The laws of a model repository, in every home it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_export.errors import DigestMismatchError, RepositoryError, VersionExistsError
from model_export.repository import ModelRepository
from tests.model_export.repository.conftest import Opener
from tests.model_export.repository.version_folders import FILES, contents, make_version


def test_what_is_fetched_is_what_was_published(repository: ModelRepository, tmp_path: Path) -> None:
    made = make_version(tmp_path, 7)
    manifest = repository.publish(made)
    fetched = repository.fetch(7, tmp_path / "pod")
    assert (manifest.version, fetched) == (7, tmp_path / "pod" / "7")
    assert contents(made).items() <= contents(fetched).items()
    assert contents(fetched).keys() - contents(made).keys() == {"manifest.json.sha256"}
    assert repository.manifest(7) == manifest


def test_an_empty_repository_has_nothing(repository: ModelRepository) -> None:
    assert (repository.versions(), repository.labels()) == ((), {})


def test_versions_are_listed_rising_as_numbers(repository: ModelRepository, tmp_path: Path) -> None:
    for version in (2, 9, 10, 100):
        repository.publish(make_version(tmp_path, version))
    assert repository.versions() == (2, 9, 10, 100)


def test_empty_files_and_deep_folders_arrive_as_well(repository: ModelRepository, tmp_path: Path) -> None:
    files = {"saved_model.pb": b"", "assets/a/b/ü ß.txt": b"x", "assets/a/c": b"x"}
    repository.publish(make_version(tmp_path, 1, files=files))
    assert files.items() <= contents(repository.fetch(1, tmp_path / "pod")).items()


@pytest.mark.parametrize("same", [True, False], ids=["same content", "other content"])
def test_a_version_is_published_once(repository: ModelRepository, tmp_path: Path, same: bool) -> None:
    first = make_version(tmp_path, 1)
    repository.publish(first)
    second = first if same else make_version(tmp_path, 1, files={"saved_model.pb": b"another graph"})
    with pytest.raises(VersionExistsError, match="version 1 is published already") as caught:
        repository.publish(second)
    assert caught.value.same_content is same
    assert contents(first).items() <= contents(repository.fetch(1, tmp_path / "pod")).items()


def test_versions_rise(repository: ModelRepository, tmp_path: Path) -> None:
    repository.publish(make_version(tmp_path, 5))
    with pytest.raises(RepositoryError, match="expected a version above 5, received 4"):
        repository.publish(make_version(tmp_path, 4))
    assert repository.versions() == (5,)


def test_a_version_below_zero_is_refused(repository: ModelRepository, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="0 or higher, received -1"):
        repository.publish(make_version(tmp_path, -1))


def test_a_base_path_holds_one_model(repository: ModelRepository, tmp_path: Path) -> None:
    repository.publish(make_version(tmp_path, 1))
    with pytest.raises(RepositoryError, match=r"'mnist' that lives here, received 'imagenet'"):
        repository.publish(make_version(tmp_path, 2, name="imagenet"))


def test_labels_move_together(repository: ModelRepository, tmp_path: Path) -> None:
    for version in (1, 2):
        repository.publish(make_version(tmp_path, version))
    assert repository.set_labels({"stable": 1, "canary": 2}) == {"stable": 1, "canary": 2}
    assert repository.set_labels({"stable": 2, "canary": None}) == {"stable": 2}
    assert repository.labels() == {"stable": 2}


BAD_LABELS = {
    "a version that is not there": {"stable": 1, "canary": 9},
    "a number for a name": {"stable": 1, "7": 1},
    "the label that is always there": {"stable": 1, "latest": 1},
    "a name with a slash": {"stable": 1, "a/b": 1},
    "a name too long": {"stable": 1, "a" * 64: 1},
    "no name": {"stable": 1, "": 1},
}


@pytest.mark.parametrize("changes", BAD_LABELS.values(), ids=BAD_LABELS.keys())
def test_labels_move_all_or_not_at_all(
    repository: ModelRepository, tmp_path: Path, changes: dict[str, int | None]
) -> None:
    repository.publish(make_version(tmp_path, 1))
    with pytest.raises(RepositoryError, match="received"):
        repository.set_labels(changes)
    assert repository.labels() == {}


@pytest.mark.parametrize(("reference", "version"), [(1, 1), ("1", 1), ("stable", 1), ("latest", 2)])
def test_a_version_is_fetched_by_number_or_label(
    repository: ModelRepository, tmp_path: Path, reference: int | str, version: int
) -> None:
    for each in (1, 2):
        repository.publish(make_version(tmp_path, each))
    repository.set_labels({"stable": 1})
    assert repository.fetch(reference, tmp_path / "pod").name == str(version)


@pytest.mark.parametrize("reference", [9, "9", "canary", "", "../1", "１"])
def test_what_is_not_there_is_named_with_what_is(
    repository: ModelRepository, tmp_path: Path, reference: int | str
) -> None:
    repository.publish(make_version(tmp_path, 1))
    repository.set_labels({"stable": 1})
    with pytest.raises(RepositoryError, match="expected one of 1, stable; received"):
        repository.fetch(reference, tmp_path / "pod")


def test_a_collection_keeps_what_labels_and_the_newest_need(
    repository: ModelRepository, tmp_path: Path
) -> None:
    for version in (1, 2, 3, 4, 5):
        repository.publish(make_version(tmp_path, version))
    repository.set_labels({"stable": 2})
    assert repository.gc(keep=2) == (1, 3)
    assert repository.versions() == (2, 4, 5)
    assert repository.gc(keep=2) == ()
    repository.fetch("stable", tmp_path / "pod")


@pytest.mark.parametrize(("keep", "left"), [(1, (3,)), (2, (2, 3)), (3, (1, 2, 3)), (4, (1, 2, 3))])
def test_a_collection_keeps_as_many_as_it_is_told(
    repository: ModelRepository, tmp_path: Path, keep: int, left: tuple[int, ...]
) -> None:
    for version in (1, 2, 3):
        repository.publish(make_version(tmp_path, version))
    repository.gc(keep=keep)
    assert repository.versions() == left


def test_a_collection_cannot_take_everything(repository: ModelRepository, tmp_path: Path) -> None:
    repository.publish(make_version(tmp_path, 1))
    with pytest.raises(RepositoryError, match="at least 1 version, received 0"):
        repository.gc(keep=0)
    assert repository.versions() == (1,)


def test_a_removed_version_does_not_come_back_and_takes_no_label(
    repository: ModelRepository, tmp_path: Path
) -> None:
    for version in (1, 2):
        repository.publish(make_version(tmp_path, version))
    repository.gc(keep=1)
    with pytest.raises(RepositoryError, match="expected a version above 2"):
        repository.publish(make_version(tmp_path, 1))
    with pytest.raises(RepositoryError, match=r"a published version \(2\), received 1"):
        repository.set_labels({"stable": 1})


def test_a_fetch_that_was_cut_goes_on_where_it_stopped(opened: Opener, tmp_path: Path) -> None:
    big = bytes(range(256)) * 20_000  # 5 MB: several chunks
    opened().publish(make_version(tmp_path, 1, files={"a": b"small", "big": big}))
    seen: list[tuple[str, int]] = []

    class Cut(Exception):
        """The process is killed here."""

    def cut(path: str, done_bytes: int, total_bytes: int) -> None:
        if path == "big" and done_bytes > total_bytes // 2:
            raise Cut

    with pytest.raises(Cut):
        opened(cut).fetch(1, tmp_path / "pod")
    assert not (tmp_path / "pod" / "1").exists()
    fetched = opened(lambda path, done_bytes, _total: seen.append((path, done_bytes))).fetch(
        1, tmp_path / "pod"
    )
    assert (fetched / "big").read_bytes() == big
    assert ("a", 5) in seen[:1]
    assert next(done for path, done in seen if path == "big") > len(big) // 2


def test_damage_in_a_cut_fetch_is_noticed_and_mended(opened: Opener, tmp_path: Path) -> None:
    big = bytes(range(256)) * 20_000
    opened().publish(make_version(tmp_path, 1, files={"big": big}))

    class Cut(Exception):
        """The process is killed here."""

    def cut(path: str, done_bytes: int, total_bytes: int) -> None:
        raise Cut

    with pytest.raises(Cut):
        opened(cut).fetch(1, tmp_path / "pod")
    (half,) = (tmp_path / "pod").rglob("big")
    half.write_bytes(b"spoilt" + half.read_bytes()[6:])
    assert (opened().fetch(1, tmp_path / "pod") / "big").read_bytes() == big


def test_a_second_fetch_finds_the_version_there(repository: ModelRepository, tmp_path: Path) -> None:
    repository.publish(make_version(tmp_path, 1))
    first = repository.fetch(1, tmp_path / "pod")
    before = (first / "saved_model.pb").stat().st_mtime_ns
    assert repository.fetch(1, tmp_path / "pod") == first
    assert (first / "saved_model.pb").stat().st_mtime_ns == before


def test_a_damaged_fetched_version_is_noticed(repository: ModelRepository, tmp_path: Path) -> None:
    repository.publish(make_version(tmp_path, 1))
    (repository.fetch(1, tmp_path / "pod") / "saved_model.pb").write_bytes(b"spoilt!")
    with pytest.raises(DigestMismatchError, match=r"saved_model\.pb: expected 7 bytes"):
        repository.fetch(1, tmp_path / "pod")


def test_progress_is_told_up_to_the_end_of_every_file(opened: Opener, tmp_path: Path) -> None:
    published: dict[str, tuple[int, int]] = {}
    fetched: dict[str, tuple[int, int]] = {}
    opened(lambda path, done, total: published.update({path: (done, total)})).publish(
        make_version(tmp_path, 1, files=FILES)
    )
    opened(lambda path, done, total: fetched.update({path: (done, total)})).fetch(1, tmp_path / "pod")
    assert published == fetched == {path: (len(content), len(content)) for path, content in FILES.items()}


def test_a_place_that_cannot_be_written_is_named(repository: ModelRepository, tmp_path: Path) -> None:
    repository.publish(make_version(tmp_path, 1))
    (tmp_path / "pod").write_text("not a folder")
    with pytest.raises(RepositoryError, match="pod: expected to write version 1 there, received"):
        repository.fetch(1, tmp_path / "pod")

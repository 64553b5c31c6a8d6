"""Publishers and operators who act at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from model_export.errors import VersionExistsError
from tests.model_export.repository.conftest import Opener
from tests.model_export.repository.version_folders import contents, make_version


def _together(*actions: Callable[[], object]) -> list[object]:
    """Start every action at the same moment; return results and errors in their order."""
    results: list[object] = [None] * len(actions)
    start = threading.Barrier(len(actions))

    def run(place: int, action: Callable[[], object]) -> None:
        start.wait()
        try:
            results[place] = action()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("same", [True, False], ids=["same content", "other content"])
@pytest.mark.parametrize("publishers", [2, 6])
def test_of_publishers_of_one_version_exactly_one_wins(
    opened: Opener, tmp_path: Path, publishers: int, same: bool
) -> None:
    made = [
        make_version(
            tmp_path / str(number),
            1,
            files={"saved_model.pb": b"graph" if same else f"graph {number}".encode()},
        )
        for number in range(publishers)
    ]
    results = _together(*(lambda folder=folder: opened().publish(folder) for folder in made))
    winners = [place for place, result in enumerate(results) if not isinstance(result, Exception)]
    losers = [result for result in results if isinstance(result, Exception)]
    assert len(winners) == 1
    assert all(isinstance(loser, VersionExistsError) and loser.same_content is same for loser in losers)
    fetched = opened().fetch(1, tmp_path / "pod")
    assert contents(made[winners[0]]).items() <= contents(fetched).items()


def test_labels_moved_at_the_same_time_are_all_kept(opened: Opener, tmp_path: Path) -> None:
    opened().publish(make_version(tmp_path, 1))
    labels = [f"label-{number}" for number in range(4)]
    results = _together(*(lambda label=label: opened().set_labels({label: 1}) for label in labels))
    assert [result for result in results if isinstance(result, Exception)] == []
    assert opened().labels() == dict.fromkeys(labels, 1)

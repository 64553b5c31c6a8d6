from pathlib import Path

import numpy as np
import pytest

from serving.backend import FakeBackend
from serving.errors import InvalidRequest, ModelError
from serving.grpc.warmup import replay
from serving.protos import prediction_log_pb2
from serving.repository import Servable
from tests.serving.grpc.test_methods import question
from tests.serving.repository.test_records import record
from tests.serving.worlds import double_backend


def servable() -> tuple[Servable, FakeBackend]:
    backend = double_backend()
    return Servable(name="double", version=1, session=backend), backend


def write(folder: Path, *entries: prediction_log_pb2.PredictionLog) -> Path:
    (folder / "assets.extra").mkdir()
    content = b"".join(record(entry.SerializeToString()) for entry in entries)
    (folder / "assets.extra" / "tf_serving_warmup_requests").write_bytes(content)
    return folder


def predict(x: object) -> prediction_log_pb2.PredictionLog:
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(question(x=x))
    return log


def test_a_version_without_requests_replays_none(tmp_path: Path) -> None:
    loaded, backend = servable()
    assert replay(loaded, tmp_path) == 0
    assert backend.calls == []


@pytest.mark.parametrize("iterations", [1, 3])
def test_requests_are_replayed_in_order(tmp_path: Path, iterations: int) -> None:
    loaded, backend = servable()
    write(tmp_path, predict([[1, 2]]), predict([[3, 4], [5, 6]]))
    assert replay(loaded, tmp_path, iterations=iterations) == 2
    shapes = [call["x"].shape for call in backend.calls]
    assert shapes == [(1, 2)] * iterations + [(2, 2)] * iterations
    np.testing.assert_array_equal(backend.calls[-1]["x"], [[3, 4], [5, 6]])


def test_a_request_that_does_not_fit_fails_the_version(tmp_path: Path) -> None:
    loaded, _ = servable()
    with pytest.raises(InvalidRequest, match="input x must be"):
        replay(loaded, write(tmp_path, predict([[1, 2, 3]])))


def test_a_request_of_a_kind_that_is_not_replayed_fails_the_version(tmp_path: Path) -> None:
    log = prediction_log_pb2.PredictionLog()
    log.session_run_log.SetInParent()
    loaded, _ = servable()
    with pytest.raises(ModelError, match="got session_run_log"):
        replay(loaded, write(tmp_path, log))


def test_too_many_requests_fail_the_version(tmp_path: Path) -> None:
    loaded, _ = servable()
    with pytest.raises(ModelError, match="expected at most 1000 warm-up requests"):
        replay(loaded, write(tmp_path, *[predict([[1, 2]])] * 1001))

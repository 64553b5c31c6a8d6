import json
from pathlib import Path
from typing import Any

import pytest

from serving.backend.profile import SMALL_MODEL_BYTES, choose_profile
from serving.protos import config_pb2
from serving.settings import ServingSettings


def write(folder: Path, size: int = 10, **tuning: str) -> Path:
    with (folder / "saved_model.pb").open("wb") as file:
        file.truncate(size)
    if tuning:
        (folder / "manifest.json").write_text(json.dumps({"accuracy": None, "extra": {"tuning": tuning}}))
    return folder


@pytest.mark.parametrize(
    ("size", "name"), [(SMALL_MODEL_BYTES - 1, "single_thread"), (SMALL_MODEL_BYTES, "thread_pool")]
)
def test_the_size_of_a_model_decides(tmp_path: Path, size: int, name: str) -> None:
    assert choose_profile(ServingSettings(), write(tmp_path, size)).name == name


def test_what_the_exporter_measured_comes_before_the_size(tmp_path: Path) -> None:
    folder = write(tmp_path, backend_profile="thread_pool")
    assert choose_profile(ServingSettings(), folder).name == "thread_pool"


def test_what_the_operator_says_comes_before_everything(tmp_path: Path) -> None:
    folder = write(tmp_path, backend_profile="thread_pool")
    assert choose_profile(ServingSettings(backend_profile="single_thread"), folder).name == "single_thread"


@pytest.mark.parametrize(
    ("settings", "threads"),
    [
        ({}, (1, 1)),
        ({"tensorflow_intra_op_parallelism": 3}, (3, 1)),
        ({"tensorflow_session_parallelism": 4}, (4, 4)),
    ],
    ids=str,
)
def test_threads_follow_the_flags(tmp_path: Path, settings: Any, threads: tuple[int, int]) -> None:
    profile = choose_profile(ServingSettings(**settings), write(tmp_path))
    config = config_pb2.ConfigProto.FromString(profile.session_config)
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == threads


@pytest.mark.parametrize(
    ("steps", "is_off"),
    [
        ({}, False),
        ({"optimized": {"nodes_after": 3}}, True),
        ({"optimized": {}, "quantized": {"kind": "int8"}}, False),
    ],
    ids=["frozen", "optimised", "optimised, with weights that the optimiser widens"],
)
def test_what_the_exporter_optimised_is_not_optimised_again(
    tmp_path: Path, steps: dict[str, Any], is_off: bool
) -> None:
    folder = write(tmp_path)
    (folder / "manifest.json").write_text(json.dumps({"accuracy": None, "extra": steps}))
    profile = choose_profile(ServingSettings(), folder)
    config = config_pb2.ConfigProto.FromString(profile.session_config)
    assert config.graph_options.rewrite_options.disable_meta_optimizer is is_off

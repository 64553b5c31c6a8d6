from pathlib import Path
from typing import Any

import pytest

from serving.errors import SettingsError
from serving.settings import ServingSettings
from serving.text_protos import TlsMaterial, apply_batching, read_tls


def write(folder: Path, text: str) -> str:
    (folder / "file").write_text(text)
    return str(folder / "file")


def test_without_a_file_nothing_changes() -> None:
    settings = ServingSettings()
    assert apply_batching(settings) == (settings, [])


def test_the_batching_parameters_of_tensorflow_serving_are_taken(tmp_path: Path) -> None:
    text = """
        max_batch_size { value: 128 }
        batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 100 }
        num_batch_threads { value: 2 }
        allowed_batch_sizes: 8
        allowed_batch_sizes: 128
        pad_variable_length_inputs: true
    """
    given = ServingSettings(batching_parameters_file=write(tmp_path, text))
    settings, warnings = apply_batching(given)
    assert (settings.max_batch_rows, settings.worker_threads, settings.max_queue_rows) == (128, 2, 12_800)
    assert warnings == [
        "allowed_batch_sizes has no effect here: batches are not padded",
        "batch_timeout_micros has no effect here: no request waits for company",
        "pad_variable_length_inputs has no effect here: only inputs of equal inner shape are joined",
    ]


@pytest.mark.parametrize(
    ("text", "settings", "complaint"),
    [
        pytest.param(
            "max_batch_siz { value: 1 }", {}, "expected BatchingParameters as text protobuf", id="typo"
        ),
        pytest.param(
            "max_batch_size: 1", {}, "expected BatchingParameters as text protobuf", id="no wrapper"
        ),
        pytest.param("max_batch_size { value: 0 }", {}, "max_batch_rows must be at least 1", id="no rows"),
        pytest.param("", {"enable_batching": False}, "needs enable_batching, got it switched off", id="off"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, settings: Any, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        apply_batching(ServingSettings(batching_parameters_file=write(tmp_path, text), **settings))


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(SettingsError, match="No such file"):
        apply_batching(ServingSettings(batching_parameters_file="/nope"))


def test_an_ssl_config_is_read(tmp_path: Path) -> None:
    text = 'server_key: "k" server_cert: "c" custom_ca: "a" client_verify: true'
    assert read_tls(write(tmp_path, text)) == TlsMaterial(
        key="k", certificate="c", authority="a", verifies_clients=True
    )


def test_an_ssl_config_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected server_key and server_cert in"):
        read_tls(write(tmp_path, 'server_cert: "c"'))


def test_a_broken_ssl_config_is_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_tls(write(tmp_path, 'server_key: "SECRET" "SECRET'))
    assert "SECRET" not in str(caught.value)

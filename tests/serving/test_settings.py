import math
from typing import Any

import pytest

from serving import settings
from serving.errors import SettingsError
from serving.settings import ServingSettings

CHANGED: dict[str, Any] = {
    "port": 9500,
    "model_name": "mnist",
    "enable_batching": False,
    "accuracy_stop": 0.99,
    "drain_seconds": 0.25,
}


def test_defaults_need_no_environment() -> None:
    assert ServingSettings().to_env() == {}


def test_settings_survive_the_trip_through_the_environment() -> None:
    written = ServingSettings(**CHANGED)
    assert ServingSettings.from_env({"PATH": "/bin", **written.to_env()}) == written


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert ServingSettings(port=9500, enable_batching=False).to_env() == {
        "TFSP_PORT": "9500",
        "TFSP_ENABLE_BATCHING": "false",
    }


def test_an_empty_optional_value_is_none() -> None:
    assert ServingSettings.from_env({"TFSP_ACCURACY_STOP": ""}).accuracy_stop is None


@pytest.mark.parametrize("definition", settings.fields(), ids=lambda definition: definition.name)
def test_every_setting_says_what_it_means(definition: Any) -> None:
    assert definition.metadata["doc"].endswith(".")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"port": -1}, "port must be at least 0 and at most 65535, got -1", id="negative port"),
        pytest.param({"port": 65536}, "port must be", id="port over the limit"),
        pytest.param({"port": 8501}, "rest_api_port must differ from port, got 8501", id="equal ports"),
        pytest.param({"monitoring_port": 8501}, "monitoring_port must differ", id="equal monitoring port"),
        pytest.param({"port": 0, "rest_api_port": 0}, "at least one of port", id="no door at all"),
        pytest.param({"accuracy_start": 1.1}, "accuracy_start must be", id="accuracy above one"),
        pytest.param({"accuracy_start": math.nan}, "accuracy_start must be", id="accuracy is no number"),
        pytest.param(
            {"accuracy_stop": 0.5}, "accuracy_stop must be above", id="window closes before it opens"
        ),
        pytest.param({"max_batch_rows": 0}, "max_batch_rows must be at least 1, got 0", id="no rows"),
        pytest.param(
            {"backend": "torch"}, "backend must be one of auto, c_api, python", id="unknown backend"
        ),
        pytest.param(
            {"model_base_path": "a", "model_config_file": "b"},
            "exclude each other",
            id="two sources of models",
        ),
        pytest.param(
            {"upstream_grpc": "h:1", "model_base_path": "a"},
            "upstream_grpc and model_base_path exclude",
            id="a model here and there",
        ),
        pytest.param(
            {"tensorflow_session_parallelism": 2, "tensorflow_intra_op_parallelism": 1},
            "tensorflow_session_parallelism excludes",
            id="overlapping parallelism",
        ),
        pytest.param(
            {"enable_config_reload": True}, "enable_config_reload needs access_file", id="reload for anyone"
        ),
    ],
)
def test_a_contradiction_is_refused_with_its_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ServingSettings(**values)


@pytest.mark.parametrize("port", [0, 1, 65535])
def test_ports_at_the_edge_are_taken(port: int) -> None:
    assert ServingSettings(port=port).port == port


def test_an_unknown_variable_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SettingsError, match=r"TFSP_MODEL_NAM; did you mean TFSP_MODEL_NAME\?"):
        ServingSettings.from_env({"TFSP_MODEL_NAM": "mnist"})


def test_a_variable_that_does_not_parse_names_itself() -> None:
    # What Kubernetes injects for a Service that is called `tfsp`.
    with pytest.raises(SettingsError, match=r"TFSP_PORT must be a whole number, got 'tcp://10\.0\.0\.1:80'"):
        ServingSettings.from_env({"TFSP_PORT": "tcp://10.0.0.1:80"})

import pytest

from serving.errors import SettingsError
from serving.flags import IGNORED_FLAGS, parse_flags, usage
from serving.settings import fields


def test_the_start_line_of_tensorflow_model_server_works() -> None:
    line = ["--port=9500", "--rest_api_port=9501", "--model_name=mnist", "--model_base_path=/models/mnist"]
    settings, warnings = parse_flags(line, {})
    assert (settings.port, settings.rest_api_port) == (9500, 9501)
    assert (settings.model_name, settings.model_base_path) == ("mnist", "/models/mnist")
    assert warnings == []


def test_flags_win_over_the_environment() -> None:
    settings, _ = parse_flags(["--port=1"], {"TFSP_PORT": "2", "TFSP_MODEL_NAME": "mnist"})
    assert (settings.port, settings.model_name) == (1, "mnist")


@pytest.mark.parametrize(
    ("flag", "expected"),
    [("--enable_batching", True), ("--enable_batching=true", True), ("--enable_batching=false", False)],
)
def test_a_boolean_may_stand_alone(flag: str, expected: bool) -> None:
    assert parse_flags([flag], {})[0].enable_batching is expected


def test_a_flag_without_meaning_here_is_one_warning() -> None:
    settings, warnings = parse_flags(["--enable_profiler=false", "--port=9"], {})
    assert settings.port == 9
    assert warnings == ["--enable_profiler has no effect here: there is no profiler service"]


def test_no_flag_is_both_a_setting_and_ignored() -> None:
    assert not {definition.name for definition in fields()} & set(IGNORED_FLAGS)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        pytest.param(
            "--enable_batchin=true", "unknown flag --enable_batchin; did you mean enable_batching", id="typo"
        ),
        pytest.param("--zzz", "unknown flag --zzz$", id="nothing near"),
        pytest.param("--port", "--port needs a value, got none", id="no value"),
        pytest.param("--port=eighty", "--port must be a whole number, got 'eighty'", id="not a number"),
        pytest.param("--enable_batching=yes", "must be true or false, got 'yes'", id="not a boolean"),
        pytest.param("mnist", "expected a flag as --name=value, got 'mnist'", id="a bare word"),
        pytest.param("--", "expected a flag", id="two dashes"),
    ],
)
def test_a_wrong_argument_is_an_error(argument: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_flags([argument], {})


def test_the_help_names_every_setting() -> None:
    text = usage()
    assert [definition.name for definition in fields() if f"--{definition.name}=" not in text] == []

import os
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toolchain.places import imagined, set_up
from toolchain import environment, virtualenvs
from toolchain.cluster.layout import Layout
from toolchain.errors import NotSetUp

BACKEND, PASSPHRASE = "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"


def test_before_set_up_the_message_names_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotSetUp, match="bin/setup"):
        environment.variables(imagined(tmp_path), {})


def test_the_python_that_runs_the_program_is_first_on_the_path(tmp_path: Path) -> None:
    folders = set_up(tmp_path)
    path = environment.variables(folders, {"PATH": "/usr/bin"})["PATH"].split(os.pathsep)
    assert path[0] == str(virtualenvs.location(virtualenvs.DEPLOY, folders) / "bin")
    assert path[-1] == "/usr/bin"


def test_models_are_exported_by_the_python_that_has_tensorflow(tmp_path: Path) -> None:
    folders = set_up(tmp_path)
    python = environment.variables(folders, {})[environment.EXPORT_PYTHON]
    assert python == str(virtualenvs.location(virtualenvs.DEV, folders) / "bin" / "python")


def test_without_a_backend_state_is_kept_in_the_data_folder(tmp_path: Path) -> None:
    settings = environment.variables(set_up(tmp_path), {"HOME": str(tmp_path)})
    assert settings[BACKEND] == f"file://{tmp_path}/data/pulumi?metadata=skip"
    assert settings[PASSPHRASE] == ""


@pytest.mark.parametrize(
    "given",
    [{BACKEND: "s3://states"}, {"PULUMI_ACCESS_TOKEN": "token"}],
    ids=["backend", "token"],
)
def test_a_backend_of_the_users_is_left_alone(tmp_path: Path, given: dict[str, str]) -> None:
    settings = environment.variables(set_up(tmp_path), {"HOME": str(tmp_path)} | given)
    assert BACKEND not in settings
    assert PASSPHRASE not in settings


def test_a_login_of_the_users_is_read_where_it_is(tmp_path: Path) -> None:
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi" / "credentials.json").write_text("{}")
    settings = environment.variables(set_up(tmp_path), {"HOME": str(tmp_path)})
    assert BACKEND not in settings
    assert settings["PULUMI_CREDENTIALS_PATH"] == str(tmp_path / ".pulumi")
    assert settings["PULUMI_HOME"] == str(tmp_path / "cache" / "pulumi-home")


@pytest.mark.parametrize("name", environment.PASSPHRASE_VARIABLES)
def test_a_passphrase_of_the_users_is_left_alone(tmp_path: Path, name: str) -> None:
    settings = environment.variables(set_up(tmp_path), {"HOME": str(tmp_path), name: "theirs"})
    assert PASSPHRASE not in settings


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path leaves room for sockets below it, which pytest's own do not."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


def _make_cluster(root: Path) -> Layout:
    layout = Layout(root=root / "state" / "cluster")
    for path in (layout.kubeconfig(), layout.buildkit_socket):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return layout


def test_a_running_cluster_is_the_one_that_commands_talk_to(short_path: Path) -> None:
    layout = _make_cluster(short_path)
    settings = environment.variables(set_up(short_path), {})
    assert settings["KUBECONFIG"] == str(layout.kubeconfig())
    assert settings["BUILDX_CONFIG"] == str(layout.buildx)


def test_a_kubeconfig_and_a_builder_of_the_users_are_left_alone(short_path: Path) -> None:
    _make_cluster(short_path)
    settings = environment.variables(
        set_up(short_path), {"KUBECONFIG": "/theirs", "BUILDX_CONFIG": "/theirs"}
    )
    assert not {"KUBECONFIG", "BUILDX_CONFIG"} & set(settings)


def test_exports_survive_a_shell(tmp_path: Path) -> None:
    line = environment.exports({"NAME": "it's a 'test' $HOME"})
    assert shlex.split(line) == ["export", "NAME=it's a 'test' $HOME"]

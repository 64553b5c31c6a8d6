from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import SettingsError
from serving.protos import model_server_config_pb2
from serving.repository import ModelSource, Policy, read_sources
from serving.settings import ServingSettings

VERSIONS = {version: Path(str(version)) for version in (1, 2, 3, 10)}


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        (Policy(), [10]),
        (Policy(latest=2), [3, 10]),
        (Policy(latest=99), [1, 2, 3, 10]),
        (Policy(latest=0), [1, 2, 3, 10]),
        (Policy(specific=(2, 1)), [1, 2]),
        (Policy(specific=(2, 7)), [2]),
    ],
)
def test_a_policy_chooses_among_the_versions_on_disk(policy: Policy, chosen: list[int]) -> None:
    assert list(policy.choose(VERSIONS)) == chosen


def test_two_flags_name_one_model() -> None:
    settings = ServingSettings(model_name="mnist", model_base_path="/models/mnist")
    assert read_sources(settings) == [ModelSource(name="mnist", base_path=Path("/models/mnist"))]


def read(folder: Path, text: str) -> list[ModelSource]:
    (folder / "models.config").write_text(text)
    return read_sources(ServingSettings(model_config_file=str(folder / "models.config")))


def test_a_file_names_models_policies_and_labels(tmp_path: Path) -> None:
    sources = read(
        tmp_path,
        """
        model_config_list {
          config { name: "a" base_path: "/a" model_platform: "tensorflow" }
          config { name: "b" base_path: "/b" model_version_policy { all {} } }
          config { name: "c" base_path: "/c" model_version_policy { latest { num_versions: 2 } } }
          config {
            name: "d" base_path: "/d"
            model_version_policy { specific { versions: 4 versions: 2 } }
            version_labels { key: "stable" value: 2 }
            version_labels { key: "canary" value: 4 }
          }
        }
        """,
    )
    assert sources == [
        ModelSource(name="a", base_path=Path("/a")),
        ModelSource(name="b", base_path=Path("/b"), policy=Policy(latest=0)),
        ModelSource(name="c", base_path=Path("/c"), policy=Policy(latest=2)),
        ModelSource(
            name="d", base_path=Path("/d"), policy=Policy(specific=(4, 2)), labels={"stable": 2, "canary": 4}
        ),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("model_config_list {", "expected a ModelServerConfig as text protobuf", id="cut off"),
        pytest.param("model_config_lst {}", "expected a ModelServerConfig", id="typo"),
        pytest.param("", "expected models with names of their own in .*, got none", id="empty"),
        pytest.param(
            'model_config_list { config { name: "a" base_path: "/a" } config { name: "a" base_path: "/b" } }',
            "got a more than once",
            id="twice",
        ),
        pytest.param(
            'model_config_list { config { name: "a" } }', "expected a base_path for the model 'a'", id="path"
        ),
        pytest.param(
            'model_config_list { config { name: "a/b" base_path: "/a" } }',
            "a model's name must be 1 to 63",
            id="name",
        ),
        pytest.param(
            'model_config_list { config { name: "a" base_path: "/a" model_platform: "caffe" } }',
            "to be tensorflow, got 'caffe'",
            id="platform",
        ),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        read(tmp_path, text)


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"in /nope, got: .*No such file"):
        read_sources(ServingSettings(model_config_file="/nope"))


def test_no_model_at_all_is_refused() -> None:
    with pytest.raises(SettingsError, match="expected a model to serve, got none"):
        read_sources(ServingSettings())


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "..", ".a", "-a", "a b", "ä", "a" * 64, "a\n"])
def test_a_name_that_paths_or_metrics_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="a model's name must be"):
        ModelSource(name=name, base_path=Path("/a"))


@given(
    st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z"),
    st.text(min_size=1).filter(lambda text: "\0" not in text),
)
def test_whatever_protobuf_prints_is_read_back(name: str, path: str) -> None:
    import tempfile

    config = model_server_config_pb2.ModelServerConfig()
    config.model_config_list.config.add(name=name, base_path=path)
    with tempfile.TemporaryDirectory() as folder:
        sources: Any = read(Path(folder), text_format.MessageToString(config))
    assert sources == [ModelSource(name=name, base_path=Path(path))]

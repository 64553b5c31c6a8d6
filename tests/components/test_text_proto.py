"""Text protos: whatever a value holds, the server reads the same message, and no value starts a field of its own."""

from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from components.text_proto import text_proto


def read(text: str) -> ModelServerConfig:
    return text_format.Parse(text, ModelServerConfig())


@given(name=st.text(), path=st.text(), versions=st.lists(st.integers(0, 2**62), max_size=4))
def test_what_is_written_is_what_is_read(name: str, path: str, versions: list[int]):
    policy = {"specific": {"versions": versions}}
    model = {"name": name, "base_path": path, "model_version_policy": policy}
    (found,) = read(text_proto({"model_config_list": {"config": [model]}})).model_config_list.config
    assert (found.name, found.base_path, list(found.model_version_policy.specific.versions)) == (
        name,
        path,
        versions,
    )


def test_a_name_cannot_smuggle_in_a_second_model():
    evil = 'mnist" } config { name: "mine" base_path: "/etc'
    text = text_proto({"model_config_list": {"config": [{"name": evil}, {"name": "line\nbreak"}]}})
    assert [each.name for each in read(text).model_config_list.config] == [evil, "line\nbreak"]


def test_scalars_and_messages_are_written_as_the_format_has_them():
    text = text_proto({"on": True, "count": 3, "inner": {"path": "/a b"}, "sizes": [1, 2], "none": []})
    assert text == 'on: true\ncount: 3\ninner {\n  path: "/a b"\n}\nsizes: 1\nsizes: 2\n'

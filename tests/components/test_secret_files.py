"""Secrets are named, mounted and read; their content is nobody's business on the way."""

import pytest

from components.config import read_config
from components.errors import ConfigError
from serving.settings import ServingSettings
from tests.components.restricted import violations
from tests.components.test_platform import deploy

FILES = {"access_file": "tokens/access.json", "ssl_config_file": "front-door/ssl.config"}


def pod() -> dict:
    return deploy(server={"secretFiles": FILES}).one("Deployment").inputs["spec"]["template"]["spec"]


def test_each_file_is_one_key_of_one_secret_readable_by_the_pods_group_alone():
    volumes = {each["name"]: each["secret"] for each in pod()["volumes"] if "secret" in each}
    assert volumes == {
        "access-file": {
            "secretName": "tokens",
            "defaultMode": 0o440,
            "items": [{"key": "access.json", "path": "access.json"}],
        },
        "ssl-config-file": {
            "secretName": "front-door",
            "defaultMode": 0o440,
            "items": [{"key": "ssl.config", "path": "ssl.config"}],
        },
    }
    assert violations(pod()) == []


def test_the_server_reads_the_path_that_is_mounted():
    (container,) = pod()["containers"]
    settings = ServingSettings.from_env({each["name"]: each["value"] for each in container["env"]})
    mounted = {each["name"]: each for each in container["volumeMounts"]}
    for path, volume in (
        (settings.access_file, "access-file"),
        (settings.ssl_config_file, "ssl-config-file"),
    ):
        assert path.startswith(mounted[volume]["mountPath"] + "/")
        assert mounted[volume]["readOnly"] is True
        assert "subPath" not in mounted[volume]


@pytest.mark.parametrize(
    ("server", "message"),
    [
        (
            {"secretFiles": {"acess_file": "a/b"}},
            "unknown key server.secretFiles.acess_file; did you mean access_file?",
        ),
        ({"secretFiles": {"access_file": "tokens"}}, "server.secretFiles.access_file must be `secret/key`"),
        (
            {"settings": {"access_file": "/a"}},
            "server.settings.access_file cannot be set here: set server.secretFiles",
        ),
    ],
    ids=["unknown", "no key", "past its key"],
)
def test_a_mistake_is_one_sentence(server, message):
    with pytest.raises(ConfigError) as refused:
        deploy(server=server)
    assert message in str(refused.value)


def test_a_console_may_stand_on_a_guarded_server():
    template = (
        deploy(server={"secretFiles": FILES, "console": True}).one("Deployment").inputs["spec"]["template"]
    )
    (container,) = template["spec"]["containers"]
    settings = ServingSettings.from_env({each["name"]: each["value"] for each in container["env"]})
    assert (bool(settings.access_file), bool(settings.console_port)) == (True, True)


def test_a_secret_that_was_pasted_is_refused_and_not_repeated():
    pasted = '{"tokens": {"planted-token-19c4": ["mnist"]}}'
    raw = {
        "images": {"registry": "registry.example.com/team"},
        "model": {"name": "mnist", "source": "build/mnist"},
        "server": {"secretFiles": {"access_file": pasted}},
    }
    with pytest.raises(ConfigError) as refused:
        read_config(raw)
    assert "never put the content itself into a stack's file" in str(refused.value)
    assert "planted" not in str(refused.value)

"""Secrets are named, mounted and read; their content is nobody's business on the way."""

import re
from pathlib import Path

import pytest
import yaml

from components.config import read_config
from components.errors import ConfigError
from serving.access.policy import read_policy
from serving.settings import ServingSettings
from tests.components.restricted import violations
from tests.components.test_platform import deploy

DOC = Path(__file__).parents[2] / "docs/components/platform.md"
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


def documented(language: str) -> str:
    """The block in that language in the chapter on secrets."""
    _, _, chapter = DOC.read_text().partition("**Secrets**")
    found = re.search(f"```{language}\n(.*?)```", chapter, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documented_stack_guards_its_server_and_its_console():
    config = yaml.safe_load(documented("yaml"))["config"]["tf-serving-platform:server"]
    template = deploy(server=config).one("Deployment").inputs["spec"]["template"]
    (container,) = template["spec"]["containers"]
    settings = ServingSettings.from_env({each["name"]: each["value"] for each in container["env"]})
    assert settings.access_file == "/etc/tf-serving/access-file/access.json"
    assert settings.console_port > 0
    secret, key = config["secretFiles"]["access_file"].split("/")
    assert f"create secret generic {secret} --from-file={key}" in DOC.read_text()


def test_the_documented_access_file_is_one():
    digests = iter(f"{number:064x}" for number in range(2))
    text = re.sub("<64 hexadecimal digits>", lambda _: next(digests), documented("json"))
    shop, operator = read_policy(text, source="the documentation").identities
    assert (shop.may("infer", "mnist"), shop.may("observe", "")) == (True, False)
    assert (operator.may("infer", "mnist"), operator.may("observe", "")) == (True, True)


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

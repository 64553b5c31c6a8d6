"""Registries ask who is there, and get what the user has logged in with, and nobody else does."""

import base64
import json
import stat
from pathlib import Path

import pytest

from notary import Office, RegistryRefused
from notary.credentials import login_for
from tests.notary.registries import running
from tests.trust.folders import private_pem

OFFICE = Office.open(private_pem=private_pem().decode())


def logged_in(folder: Path, host: str, login: str, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = base64.b64encode(login.encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))


def test_an_image_behind_a_login_is_signed_with_dockers_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running("ada:secret") as registry:
        image = registry.push("team/mnist")
        logged_in(tmp_path, registry.host, "ada:secret", monkeypatch)
        OFFICE.sign(image)
        assert OFFICE.verify(image)


@pytest.mark.parametrize("login", ["ada:wrong", ""], ids=["a wrong password", "no login"])
def test_who_is_not_let_in_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    with running("ada:secret") as registry:
        image = registry.push("team/mnist")
        logged_in(tmp_path, registry.host, login, monkeypatch)
        with pytest.raises(RegistryRefused, match="lets you in"):
            OFFICE.verify(image)


def test_a_registry_that_does_not_run_is_a_sentence() -> None:
    with running() as registry:
        image = registry.push("team/mnist")
    with pytest.raises(RegistryRefused, match="see whether the registry runs"):
        OFFICE.verify(image)


def test_a_helper_is_asked_where_docker_would_ask_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-vault"
    helper.write_text(
        '#!/bin/sh\nread host; echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"for $host\\"}"\n'
    )
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {"registry.example.com": "vault"}}))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    login = login_for("registry.example.com", {"DOCKER_CONFIG": str(tmp_path)})
    assert login is not None
    assert (login.secret, login.is_token) == ("for registry.example.com", True)
    assert "for registry" not in repr(login)


@pytest.mark.parametrize(
    "settings",
    ["", "[]", '{"auths": {"r": {"auth": "?"}}}', '{"credsStore": "that-is-not-there"}'],
    ids=["empty", "no object", "no base64", "no helper"],
)
def test_settings_that_say_nothing_are_no_login(tmp_path: Path, settings: str) -> None:
    (tmp_path / "config.json").write_text(settings)
    assert login_for("r", {"DOCKER_CONFIG": str(tmp_path)}) is None


def test_a_login_is_told_to_the_registry_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running("ada:secret") as registry, running() as storage:
        image = registry.push("team/mnist")
        logged_in(tmp_path, registry.host, "ada:secret", monkeypatch)
        OFFICE.sign(image)
        moved = registry.blob_path(image, "sig")
        storage.stored[moved] = registry.stored.pop(moved)
        registry.elsewhere[moved] = f"http://{storage.host}{moved}"
        assert OFFICE.verify(image)
        assert storage.told == [""]
        assert registry.told[-1].startswith("Bearer ")

from pathlib import Path

import pytest

from tests.toolchain.places import imagined
from toolchain import build
from toolchain.errors import MissingRequirement
from toolchain.progress import Progress


def test_without_go_one_sentence_says_what_is_missing_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingRequirement, match=r"Go 1\.26 or newer is needed.*no `go` on PATH; install it"):
        build.require_go()


def test_a_go_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho 'go.mod requires go >= 1.26 (running go 1.19)' >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(MissingRequirement, match=r"running go 1\.19"):
        build.require_go()


def test_nothing_to_build_asks_for_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no Go here
    build.build_missing((), imagined(tmp_path), Progress())


def test_the_compilers_caches_are_our_own_and_its_pins_are_final(tmp_path: Path) -> None:
    settings = build.go_environment(imagined(tmp_path))
    assert settings["GOMODCACHE"].startswith(str(tmp_path))
    assert settings["GOCACHE"].startswith(str(tmp_path))
    assert "-mod=readonly" in settings["GOFLAGS"]


def test_build_caches_are_removed_once_the_binaries_stand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folders = imagined(tmp_path)
    (folders.build / "gocache").mkdir(parents=True)
    monkeypatch.setenv(build.KEEP_VARIABLE, "1")
    build.remove_build_caches(folders, Progress())
    assert folders.build.exists()
    monkeypatch.delenv(build.KEEP_VARIABLE)
    build.remove_build_caches(folders, Progress())
    assert not folders.build.exists()

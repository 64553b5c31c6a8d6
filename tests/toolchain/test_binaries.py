from pathlib import Path

import pytest

from tests.toolchain.places import imagined
from toolchain import binaries
from toolchain.binaries import Binary, Companion, Host

TOOL = Binary(name="tool", module="tool", package=".")


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    for module in ("tool", "other"):
        (tmp_path / module).mkdir()
        (tmp_path / module / "go.mod").write_text(f"module {module}\n")
        (tmp_path / module / "go.sum").write_text("")
    return tmp_path


def test_the_same_source_has_the_same_key(modules: Path) -> None:
    assert binaries.key(TOOL, modules) == binaries.key(TOOL, modules)


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go", "nested/more.go"])
def test_a_change_of_any_file_of_the_module_changes_the_key(modules: Path, name: str) -> None:
    before = binaries.key(TOOL, modules)
    path = modules / "tool" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("changed\n")
    assert binaries.key(TOOL, modules) != before


def test_a_change_of_another_module_leaves_the_key(modules: Path) -> None:
    before = binaries.key(TOOL, modules)
    (modules / "other" / "go.mod").write_text("changed\n")
    assert binaries.key(TOOL, modules) == before


def test_the_module_of_a_companion_counts_as_source(modules: Path) -> None:
    companion = Companion(module="other", go_module="example.com/other", file="script")
    binary = Binary(name="tool", module="tool", package=".", companion=companion)
    before = binaries.key(binary, modules)
    (modules / "other" / "go.mod").write_text("changed\n")
    assert binaries.key(binary, modules) != before


@pytest.mark.parametrize(
    "other",
    [
        Binary(name="tool", module="tool", package="./sub"),
        Binary(name="tool", module="tool", package=".", ldflags="-X main.version=2"),
        Binary(name="tool", module="tool", package=".", aliases=("second",)),
        Binary(name="tool", module="tool", package=".", host=Host(go_module="example.com/x", file="main.go")),
    ],
    ids=["package", "ldflags", "aliases", "host"],
)
def test_a_change_of_the_build_command_changes_the_key(modules: Path, other: Binary) -> None:
    assert binaries.key(other, modules) != binaries.key(TOOL, modules)


def test_a_binary_is_missing_until_its_file_stands_under_its_key(modules: Path, tmp_path: Path) -> None:
    folders = imagined(tmp_path)
    assert binaries.missing((TOOL,), folders, modules) == (TOOL,)
    place = binaries.location(TOOL, folders, modules)
    place.parent.mkdir(parents=True)
    place.touch()
    assert binaries.missing((TOOL,), folders, modules) == ()


def test_every_binary_has_a_module_with_pinned_sums() -> None:
    for binary in binaries.ALL:
        folder = binaries.MODULES / binary.module
        assert (folder / "go.mod").exists()
        assert (folder / "go.sum").stat().st_size > 0, (
            f"{binary.module} would be fetched without being checked"
        )


def test_no_two_binaries_share_a_name() -> None:
    names = [binary.name for binary in binaries.ALL]
    assert len(names) == len(set(names))

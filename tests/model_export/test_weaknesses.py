"""What a database on this disk knows against the packages of a bill of materials is told, and nothing else."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from model_export.__main__ import main
from model_export.errors import ExportError
from model_export.weaknesses import find, listed_packages

ROOT = Path(__file__).parents[2]


def entry(*events: dict[str, str], name: str = "typing-extensions", **facts: Any) -> dict[str, Any]:
    affected: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": name}}
    if events:
        affected["ranges"] = [{"type": "ECOSYSTEM", "events": list(events)}]
    return {"id": "PYSEC-2026-1", "summary": "It runs code.", "affected": [affected], **facts}


def with_versions(*versions: str) -> dict[str, Any]:
    found = entry()
    found["affected"][0]["versions"] = list(versions)
    return found


def of_another_ecosystem() -> dict[str, Any]:
    found = entry({"introduced": "0"})
    found["affected"][0]["package"]["ecosystem"] = "npm"
    return found


def write(folder: Path, *entries: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for number, each in enumerate(entries):
        (folder / f"{number}.json").write_text(json.dumps(each))
    return folder


@pytest.mark.parametrize(
    ("known", "is_affected"),
    [
        (entry({"introduced": "0"}), True),
        (entry({"introduced": "0"}, {"fixed": "4.9.0"}), True),
        (entry({"introduced": "0"}, {"fixed": "4.10.0"}), True),
        (entry({"introduced": "0"}, {"fixed": "4.8.1"}), False),
        (entry({"introduced": "0"}, {"fixed": "4.8"}), False),
        (entry({"introduced": "0"}, {"last_affected": "4.8.1"}), True),
        (entry({"introduced": "0"}, {"last_affected": "4.8.0"}), False),
        (entry({"introduced": "4.8.1"}), True),
        (entry({"introduced": "4.8.2"}), False),
        (entry({"fixed": "4.0"}, {"introduced": "4.5"}, {"introduced": "0"}), True),
        (entry({"introduced": "0"}, {"fixed": "not a version"}), True),
        (with_versions("4.8.0", "4.8.1"), True),
        (with_versions("4.8.0"), False),
        (entry({"introduced": "0"}, name="Typing_Extensions"), True),
        (entry({"introduced": "0"}, name="typing"), False),
        (of_another_ecosystem(), False),
        (entry({"introduced": "0"}, withdrawn="2026-01-01T00:00:00Z"), False),
    ],
    ids=[
        "every version",
        "fixed later",
        "fixed in a version of two digits",
        "fixed in this one",
        "fixed in a shorter one",
        "last affected is this one",
        "last affected is the one before",
        "introduced in this one",
        "introduced in the next",
        "introduced again, in no order",
        "fixed in what is no version",
        "this version is named",
        "another version is named",
        "the name in another spelling",
        "another name",
        "another ecosystem",
        "withdrawn",
    ],
)
def test_a_version_is_affected_as_the_specification_has_it(
    tmp_path: Path, known: dict[str, Any], is_affected: bool
) -> None:
    database = write(tmp_path / "database", known)
    assert bool(find({"typing-extensions": "4.8.1"}, database)) is is_affected


@pytest.fixture
def bill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    words = [
        "sbom",
        str(ROOT / "examples/mnist/published/1000"),
        "--lock",
        str(ROOT / "requirements/runtime.txt"),
    ]
    assert main(words) == 0
    path = tmp_path / "image.spdx.json"
    path.write_text(capsys.readouterr().out)
    return path


def test_the_image_is_scanned_by_its_bill_of_materials(
    tmp_path: Path, bill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packages = listed_packages(bill)
    assert len(packages) == (ROOT / "requirements/runtime.txt").read_text().count("==")
    archive = tmp_path / "PyPI-all.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr(
            "PYSEC-2026-1.json", json.dumps(entry({"introduced": "0"}, {"fixed": "99"}, name="numpy"))
        )
    assert main(["scan", str(bill), "--database", str(archive)]) == 3
    assert f"PYSEC-2026-1: numpy {packages['numpy']}: It runs code. (fixed in 99)" in capsys.readouterr().out
    assert main(["scan", str(bill), "--database", str(archive), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["weaknesses"][0]["id"] == "PYSEC-2026-1"


def test_a_database_that_knows_nothing_against_it_is_no_alarm(tmp_path: Path, bill: Path) -> None:
    database = write(tmp_path / "database", entry({"introduced": "0"}, name="another"))
    assert main(["scan", str(bill), "--database", str(database)]) == 0


@pytest.mark.parametrize("content", [None, b"", b"no archive"], ids=["not there", "empty", "no archive"])
def test_what_is_no_database_finds_nothing_and_says_so(tmp_path: Path, content: bytes | None) -> None:
    database = tmp_path / "PyPI-all.zip"
    if content is not None:
        database.write_bytes(content)
    with pytest.raises(ExportError, match="expected OSV's entries"):
        find({}, database)


def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="would find nothing"):
        find({}, write(tmp_path / "database"))


def test_a_file_that_is_no_bill_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ExportError, match="expected an SPDX document"):
        listed_packages(tmp_path / "other.json")

"""Known weaknesses of what a bill of materials lists, from a database on this disk: nothing is asked over the network.

The database is OSV's export of an ecosystem (ossf/osv-schema, one JSON file each, in a folder or a zip archive); what is affected is decided
by the algorithm of that specification's section "Evaluation", with the order of versions of PEP 440. `packaging` comes with TensorFlow.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from model_export.errors import ExportError

_PURL: Final = re.compile(r"pkg:pypi/([A-Za-z0-9._-]+)@([^?#]+)")
_ECOSYSTEM: Final = "PyPI"


@dataclass(frozen=True, kw_only=True, order=True)
class Weakness:
    """One entry of the database that a package is affected by."""

    package: str
    version: str
    id: str
    """Such as `PYSEC-2024-1` or `GHSA-…`."""
    summary: str
    fixed: tuple[str, ...]
    """Versions that have it no more; empty where none has."""


def listed_packages(document: Path) -> dict[str, str]:
    """Return the Python packages of an SPDX document with their versions, by normal name. Raises ExportError for any other file."""
    try:
        packages = json.loads(document.read_bytes())["packages"]
        locators = [ref["referenceLocator"] for each in packages for ref in each.get("externalRefs", ())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportError(
            f"{document}: expected an SPDX document in JSON, received {error!r}; write one with `python -m model_export sbom`"
        ) from error
    found = (_PURL.fullmatch(locator) for locator in locators)
    return {_normal(purl[1]): purl[2] for purl in found if purl}


def find(packages: Mapping[str, str], database: Path) -> list[Weakness]:
    """Return what is known against packages, in the order of their names. Raises ExportError for a database that cannot be read."""
    return sorted(
        {
            weakness
            for entry in _entries(database)
            if not entry.get("withdrawn")
            for weakness in _weaknesses(entry, packages)
        }
    )


def _entries(database: Path) -> Iterator[Mapping[str, Any]]:
    try:
        count = 0
        for content in _contents(database):
            entry = json.loads(content)
            count += 1
            yield {**entry, "affected": list(entry.get("affected", ()))}
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ExportError(
            f"{database}: expected OSV's entries, JSON files in a folder or a zip archive, received {error!r}; fetch the export again"
        ) from error
    if not count:
        raise ExportError(
            f"{database}: expected OSV's entries, received none; an empty database would find nothing"
        )


def _contents(database: Path) -> Iterator[bytes]:
    if database.is_dir():
        for path in sorted(database.rglob("*.json")):
            yield path.read_bytes()
        return
    with zipfile.ZipFile(database) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield archive.read(name)


def _weaknesses(entry: Mapping[str, Any], packages: Mapping[str, str]) -> Iterator[Weakness]:
    for affected in entry["affected"]:
        package = affected.get("package", {})
        name = _normal(package.get("name", ""))
        if package.get("ecosystem") != _ECOSYSTEM or name not in packages:
            continue
        version, ranges = packages[name], affected.get("ranges", ())
        if version in affected.get("versions", ()) or any(_is_within(version, each) for each in ranges):
            yield Weakness(
                package=name,
                version=version,
                id=entry["id"],
                summary=entry.get("summary") or entry.get("details", "").partition("\n")[0],
                fixed=_fixes(ranges),
            )


def _is_within(version: str, span: Mapping[str, Any]) -> bool:
    """Say whether a version is affected; one that is not written as PEP 440 has it is, to be looked at by somebody."""
    from packaging.version import InvalidVersion, Version

    if span.get("type") != "ECOSYSTEM":
        return False
    try:
        asked, is_affected = Version(version), False
        for event in sorted(span["events"], key=_order):
            ((kind, text),) = event.items()
            bound = Version(text)
            if kind == "introduced" and asked >= bound:
                is_affected = True
            elif (kind == "fixed" and asked >= bound) or (kind == "last_affected" and asked > bound):
                is_affected = False
    except InvalidVersion:
        return True
    return is_affected


def _order(event: Mapping[str, str]) -> Any:  # noqa: ANN401 - versions come without types of their own here
    from packaging.version import Version

    ((_, text),) = event.items()
    return Version(text)


def _fixes(ranges: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    events = [event for each in ranges if each.get("type") == "ECOSYSTEM" for event in each["events"]]
    return tuple(sorted({event["fixed"] for event in events if "fixed" in event}))


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()

"""The package in a folder of a test's own: the YAML host writes the schema that it read beside the provider."""

from pathlib import Path

from tests.policy.project import ROOT

_WRITTEN = "schema-tf-serving.json"


def link_package(folder: Path) -> None:
    """Make `folder` the package, file by file a link into the checkout."""
    folder.mkdir()
    for path in (ROOT / "package").iterdir():
        if path.is_file() and path.name != _WRITTEN:
            (folder / path.name).symlink_to(path)

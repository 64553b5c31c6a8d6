"""The version folders of a model: `<base>/<number>/saved_model.pb`, TensorFlow Serving's layout."""

from pathlib import Path

from serving.errors import ModelError

GRAPH_FILES = ("saved_model.pb", "saved_model.pbtxt")

Fingerprint = tuple[tuple[str, int, int], ...]
"""Name, size and time of change of every file: equal twice in a row, nobody is writing."""


def find_versions(base_path: Path) -> dict[int, Path]:
    """The complete versions under `base_path`, by number, in rising order.

    A folder that is no number, or holds no graph yet, is no version: exporters write into a folder of another
    name and rename it. Raises ModelError when the base path itself is missing.
    """
    try:
        folders = [path for path in base_path.iterdir() if path.name.isdecimal() and path.name.isascii()]
    except OSError as error:
        raise ModelError(
            f"expected a folder of model versions at {base_path}, got: {error.strerror}; set --model_base_path to it"
        ) from error
    return {
        int(path.name): path for path in sorted(folders, key=lambda path: int(path.name)) if is_complete(path)
    }


def is_complete(folder: Path) -> bool:
    return any((folder / name).is_file() for name in GRAPH_FILES)


def fingerprint(folder: Path) -> Fingerprint:
    """What the files of a version look like from outside."""
    entries = []
    for path in sorted(folder.rglob("*")):
        try:
            status = path.stat()
        except OSError:  # it went away between listing and looking: whoever compares will see a change
            continue
        entries.append((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns))
    return tuple(entries)

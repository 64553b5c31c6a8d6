"""Which files a trained model consists of, found by name alone.

The Pulumi program and the exporter must agree on what the source is before anybody imports TensorFlow, so this knows folders and
file names only. Whether the bytes are good is for `sources` to find out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model_export.artifact import SourceKind
from model_export.errors import SourceError

KERAS_SUFFIXES: Final = (".keras", ".h5", ".hdf5")
_SHARD: Final = re.compile(r"\.data-(\d{5})-of-(\d{5})$")
_CHECKPOINT_PART: Final = re.compile(r"\.(meta|index|data-\d{5}-of-\d{5})$")
_LATEST: Final = re.compile(r'^\s*model_checkpoint_path:\s*"(?P<path>(?:[^"\\]|\\.)*)"', re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class SourceFiles:
    """A trained model on disk."""

    kind: SourceKind
    path: Path
    """What TensorFlow is to be given: a checkpoint prefix, a SavedModel folder, a Keras file or a GraphDef."""
    files: tuple[Path, ...]
    """Every file that belongs to it, sorted."""
    origin: Path | None = None
    """The file that a person named, where `path` was made from it."""

    @property
    def shown(self) -> Path:
        """The path to show to a person."""
        return self.origin or self.path

    @property
    def name(self) -> str:
        """File or checkpoint name without its folder."""
        return self.path.name

    @property
    def step(self) -> int | None:
        """The training step that a checkpoint carries in its name (`model.ckpt-157585`)."""
        found = re.search(r"-(\d{1,18})$", self.path.name) if self.kind == "checkpoint" else None
        return int(found.group(1)) if found else None


def locate(path: Path) -> SourceFiles:
    """Find the trained model at `path`. Raises SourceError when there is none, or part of one."""
    path = Path(path).absolute()
    if path.is_dir():
        return _in_folder(path)
    if path.name in {"saved_model.pb", "saved_model.pbtxt"} and path.is_file():
        return _saved_model(path.parent)
    if path.suffix in KERAS_SUFFIXES and path.is_file():
        return SourceFiles(kind="keras", path=path, files=(path,))
    if path.suffix == ".pb" and path.is_file():
        return SourceFiles(kind="graph_def", path=path, files=(path,))
    return _checkpoint(path.with_name(_CHECKPOINT_PART.sub("", path.name)))


def _in_folder(folder: Path) -> SourceFiles:
    if (folder / "saved_model.pb").is_file() or (folder / "saved_model.pbtxt").is_file():
        return _saved_model(folder)
    if (folder / "checkpoint").is_file():
        return _checkpoint(_latest_checkpoint(folder))
    prefixes = sorted(each.name.removesuffix(".index") for each in folder.glob("*.index"))
    if len(prefixes) == 1:
        return _checkpoint(folder / prefixes[0])
    found = (
        f"checkpoints {', '.join(prefixes)} and no file `checkpoint` that names one"
        if prefixes
        else "neither"
    )
    message = f"expected a SavedModel or a checkpoint in {folder}, received {found}; train first, or name the checkpoint"
    raise SourceError(message)


def _saved_model(folder: Path) -> SourceFiles:
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return SourceFiles(kind="saved_model", path=folder, files=tuple(files))


def _latest_checkpoint(folder: Path) -> Path:
    state = folder / "checkpoint"
    try:
        found = _LATEST.search(state.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        message = f"expected the name of the newest checkpoint in {state}, received {error}; train again, or name one"
        raise SourceError(message) from error
    if found is None:
        message = f'expected `model_checkpoint_path: "…"` in {state}, received something else; train again, or name one'
        raise SourceError(message)
    named = folder / found.group("path")
    # A folder that was moved after training still names its old place; the checkpoint lies beside the state file.
    return named if named.with_name(named.name + ".index").exists() else folder / named.name


def _checkpoint(prefix: Path) -> SourceFiles:
    index = prefix.with_name(prefix.name + ".index")
    parts = [index, *_shards(prefix)] if index.is_file() else [prefix]
    if not parts[0].is_file():
        message = (
            f"expected a checkpoint, a SavedModel folder, a .keras or .h5 file or a frozen .pb at {prefix}, "
            "received no such file; train first, or correct the path"
        )
        raise SourceError(message)
    graph = prefix.with_name(prefix.name + ".meta")
    return SourceFiles(
        kind="checkpoint",
        path=prefix,
        files=tuple(sorted(each for each in [*parts, graph] if each.is_file())),
    )


def _shards(prefix: Path) -> list[Path]:
    shards = {path: match for path in prefix.parent.iterdir() if (match := _SHARD.search(path.name))}
    ours = sorted(path for path, match in shards.items() if path.name == prefix.name + match.group(0))
    expected = int(shards[ours[0]].group(2)) if ours else 1
    if len(ours) != expected:
        message = (
            f"expected {expected} data file(s) of checkpoint {prefix}, received {len(ours)}; "
            "copy the checkpoint again, or train again"
        )
        raise SourceError(message)
    return ours

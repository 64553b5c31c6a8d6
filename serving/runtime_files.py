"""Copies what a server image needs of TensorFlow: its two libraries and the protobuf classes, not the package.

    python -m serving.runtime_files --site-packages SOURCE --target FOLDER [--strip]

FOLDER then belongs on the Python path beside the other requirements. The list of classes is not written
down anywhere: a fresh interpreter imports them through `serving.protos`, and what it loaded is copied.
Stripping the libraries takes a fifth off them and needs `strip` of binutils.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from serving.backend.library import COMPLETE, FRAMEWORK

_PROBE = """
import json, sys
import serving.protos
modules = [m for m in list(sys.modules.values()) if getattr(m, "__file__", None)]
print(json.dumps(sorted({m.__file__ for m in modules if m.__file__.endswith("_pb2.py")})))
"""
_PROTOBUF_OWN = Path("google") / "protobuf"


def proto_files(site_packages: Path) -> list[Path]:
    """The protobuf classes that the server imports from `site_packages`, relative to it."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(site_packages), str(Path(__file__).parents[1])])
    }
    probe = subprocess.run(
        [sys.executable, "-c", _PROBE], check=True, capture_output=True, text=True, env=environment
    )
    loaded = [Path(name) for name in json.loads(probe.stdout)]
    inside = [path.relative_to(site_packages) for path in loaded if path.is_relative_to(site_packages)]
    return [path for path in inside if not path.is_relative_to(_PROTOBUF_OWN)]


def copy_runtime(site_packages: Path, target: Path, *, strip: bool) -> int:
    """Copy libraries and classes to `target`; the bytes that they take there."""
    files = [*proto_files(site_packages), *(Path("tensorflow") / name for name in (FRAMEWORK, COMPLETE))]
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(site_packages / file, target / file)
    _make_packages(target, files)
    if strip:
        libraries = [str(target / "tensorflow" / name) for name in (FRAMEWORK, COMPLETE)]
        subprocess.run(["strip", "--strip-all", *libraries], check=True)
    return sum((target / file).stat().st_size for file in files)


def _make_packages(target: Path, files: Iterable[Path]) -> None:
    """An empty `__init__.py` in every folder on the way: none of the originals' code is needed."""
    for folder in {parent for file in files for parent in file.parents if parent != Path()}:
        (target / folder / "__init__.py").touch()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m serving.runtime_files", description=__doc__)
    parser.add_argument("--site-packages", type=Path, required=True, help="where TensorFlow is installed")
    parser.add_argument("--target", type=Path, required=True, help="the folder to fill; made if missing")
    parser.add_argument("--strip", action="store_true", help="strip the libraries of their symbols")
    arguments = parser.parse_args()
    size = copy_runtime(arguments.site_packages.resolve(), arguments.target, strip=arguments.strip)
    print(f"copied {size / 1e6:.0f} MB to {arguments.target}")


if __name__ == "__main__":
    main()

"""The note that our exporter leaves beside a servable: `<base>/<version>/manifest.json`.

Serving reads only what it needs from it, and serves a folder without one just as well.
"""

import dataclasses
import json
from pathlib import Path

from serving.errors import ModelError

FILE_NAME = "manifest.json"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What the exporter knew about a version."""

    identity: str = ""
    """The digest of what the model computes."""
    accuracy: float | None = None
    """Measured by its trainer, 0 to 1; None when nobody measured."""


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`, or an empty one. Raises ModelError when there is one that cannot be read."""
    path = folder / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
        accuracy = document.get("accuracy")
        return Manifest(
            identity=str(document.get("identity", "")),
            accuracy=None if accuracy is None else float(accuracy["value"]),
        )
    except FileNotFoundError:
        return Manifest()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            f"expected a manifest with accuracy null or {{'value': number}} at {path}, got: {error!r}; "
            "export the version again, or remove the file to serve without it"
        ) from error

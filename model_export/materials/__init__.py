"""What a model and its image are made of, as an SPDX document.

Belongs here: reading manifests and locks, and writing SPDX 2.3. Does not belong here: scanning for weaknesses, or building images.
Standard library only.
"""

from model_export.materials.locks import Locked, read_lock
from model_export.materials.spdx import document

__all__ = ["Locked", "document", "read_lock"]

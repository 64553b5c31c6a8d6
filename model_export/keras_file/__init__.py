"""Keras files read before anybody loads them: `.keras` archives and `.h5` files, judged by their text alone.

Loading a Keras file builds the classes that its config names, so a file from a stranger is a program; `safe_mode` was bypassed again
and again (CVE-2025-1550, CVE-2025-8747, CVE-2025-9905, CVE-2025-9906, CVE-2025-12058, CVE-2026-1462). Here only what is known passes:
classes and functions of Keras itself by name, plain archive members, weights without links. Belongs here: reading and refusing.
Does not belong here: loading; Keras is never imported, and h5py is asked for attributes, links and sizes only.
"""

from model_export.keras_file.config import Layer
from model_export.keras_file.inspection import KerasFileReport, inspect_keras_file

__all__ = ["KerasFileReport", "Layer", "inspect_keras_file"]

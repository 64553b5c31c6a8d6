"""Chooses the backend for a model and loads it: TensorFlow's C library, or else its Python API."""

import logging
from pathlib import Path

from serving.backend import graphs
from serving.backend.library import Library, open_library
from serving.backend.native import NativeSession
from serving.backend.profile import choose_profile, make_profile, prepare_process
from serving.backend.python import PythonSession
from serving.backend.seam import Session
from serving.errors import ModelError
from serving.manifest import read_manifest
from serving.settings import ServingSettings

log = logging.getLogger(__name__)


def load_session(folder: Path, settings: ServingSettings) -> Session:
    """The SavedModel in `folder` (the one with saved_model.pb), ready to run.

    Blocks for as long as TensorFlow takes. Raises ModelError when it cannot be loaded.
    """
    prepare_process(settings, folder)
    tags = settings.saved_model_tags.split(",")
    library = _library(settings)
    if library is None:
        return PythonSession(folder, tags=tags, profile=choose_profile(settings, folder))
    return _load_native(library, folder, tags, settings)


def _load_native(library: Library, folder: Path, tags: list[str], settings: ServingSettings) -> NativeSession:
    profile = choose_profile(settings, folder)
    session = NativeSession(library, folder, tags=tags, profile=profile)
    if profile.name == "single_thread" and graphs.has_old_control_flow(session.meta_graph):
        session.close()
        profile = make_profile(
            profile.name,
            settings,
            plain_executor=True,
            is_optimized=read_manifest(folder).is_optimized,
        )
        session = NativeSession(library, folder, tags=tags, profile=profile)
    return session


def _library(settings: ServingSettings) -> Library | None:
    """The C library, or None when the Python API is to be used."""
    if settings.backend == "python":
        return None
    try:
        return open_library(settings.tensorflow_library_dir)
    except ModelError as error:
        if settings.backend == "c_api":
            raise
        log.warning(
            "falling back to TensorFlow's Python API, which starts and answers more slowly: %s", error
        )
        return None

"""Puts the site together from the parts of a server."""

from serving.console.site import Site
from serving.console.state import StateReader
from serving.http1 import Handler
from serving.metrics import Metrics
from serving.monitoring import Readiness
from serving.pipeline import Pipeline
from serving.repository import Repository
from serving.settings import ServingSettings


def open_site(
    settings: ServingSettings,
    api: Handler,
    pipeline: Pipeline,
    metrics: Metrics,
    readiness: Readiness[Repository],
) -> Site:
    """The site of the console's port; `api` answers its questions."""
    repository = readiness.repository
    reader = StateReader(settings, repository, pipeline, metrics, readiness)
    return Site(api, repository=repository, pipeline=pipeline, read_state=reader.read)

"""Which models there are: base paths, versions, their states, and the sessions of those that are loaded.

Belongs here: finding versions on disk, loading and unloading them, and naming the one a request means. Does
not belong here: running them, or answering anybody.
"""

from serving.repository.loader import ServableLoader, WarmUp
from serving.repository.models import Repository
from serving.repository.reconciler import Reconciler
from serving.repository.servable import Servable
from serving.repository.sources import ModelSource, Policy, read_sources, sources_of
from serving.repository.states import State, VersionStatus
from serving.repository.vouching import make_vouch

__all__ = [
    "ModelSource",
    "Policy",
    "Reconciler",
    "Repository",
    "Servable",
    "ServableLoader",
    "State",
    "VersionStatus",
    "WarmUp",
    "make_vouch",
    "read_sources",
    "sources_of",
]

"""Many doors in, one normal form out.

Belongs here: reading what TensorFlow and its relatives write, one module a door, each giving a `LoadedModel`: a graph in a running
session, its signatures, its assets. `opened` finds the door by the kind of source. Does not belong here: freezing, and judging
whether a servable is right.
"""

from model_export.sources.doors import opened
from model_export.sources.loaded import LoadedModel

__all__ = ["LoadedModel", "opened"]

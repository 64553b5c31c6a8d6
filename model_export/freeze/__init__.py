"""Freezing: a graph with variables in, the same computation with constants out.

Belongs here: what happens to nodes. Works on MetaGraphDef protobufs of any writer (TensorFlow 1 checkpoints, both kinds of
SavedModel), because TensorFlow's own converters fail on tables, on embeddings in loops and on reference variables, and bake
paths and mutable contents without a word. Does not belong here: reading sources, running graphs, writing files.

    live nodes -> variables become Const of the same name -> `flow` finds where their handles travel -> `rules` and `calls`
    retype every consumer -> prune -> `refusals` rejects, by op and node, what one protobuf cannot hold
"""

from model_export.freeze.freezing import Endpoints, FrozenGraph, freeze

__all__ = ["Endpoints", "FrozenGraph", "freeze"]

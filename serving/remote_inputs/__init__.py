"""Inputs that a REST body names by a URI and the server fetches, from places that an operator has listed.

Belongs here: which URIs may be fetched, fetching them within limits, and putting what came in the body's place of
the name. Does not belong here: what a model makes of it: the rest of the server sees a body that was sent whole.
Without --remote_input_prefixes nothing of this package is in a request's way. Only `serving.server` imports it.
"""

from serving.remote_inputs.bodies import FetchingHandler
from serving.remote_inputs.places import parse_prefixes

__all__ = ["FetchingHandler", "parse_prefixes"]

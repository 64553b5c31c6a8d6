"""TensorFlow Serving's REST API: paths, JSON documents and status codes.

Belongs here: everything that is particular to JSON over HTTP. Does not belong here: connections
(`serving.http1`) or how an answer is computed (`serving.pipeline`).
"""

from serving.rest.api import RestApi
from serving.rest.errors import error_response

__all__ = ["RestApi", "error_response"]

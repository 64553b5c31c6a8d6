"""One line of JSON for each request, without its payload, where an operator asked for it.

Belongs here: what is said of a request, and how lines get to a file without anybody waiting for it. Does not
belong here: the server's own log, or numbers (`serving.metrics`). Without --access_log nothing of this package
is in a request's way. Only `serving.server` imports it.
"""

from serving.access_log.grpc import log_methods
from serving.access_log.journal import Journal
from serving.access_log.rest import log_handlers, log_refusals
from serving.access_log.writer import Writer

__all__ = ["Journal", "Writer", "log_handlers", "log_methods", "log_refusals"]

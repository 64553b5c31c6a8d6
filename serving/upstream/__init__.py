"""TensorFlow Serving behind us: requests pass through as bytes, and we keep the doors.

Belongs here: the connections to an upstream, what is passed on to it, and what is said when it is gone. Does not
belong here: models, tensors, JSON: a message is not looked at, but for the headers around it. What the doors do
is the same as without an upstream: limits, deadlines, TLS, tokens, access log, probes and drain. Only
`serving.__main__` imports it, and only where an upstream is set.
"""

from serving.upstream.server import UpstreamServer

__all__ = ["UpstreamServer"]

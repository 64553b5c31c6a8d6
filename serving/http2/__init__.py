"""gRPC over our own HTTP/2: a server and a client for unary calls on asyncio, and nothing else.

Belongs here: RFC 9113 framing, RFC 7541 header compression, flow control, the gRPC protocol on top of
them, and the limits that keep a hostile peer cheap. Does not belong here: what calls mean. The room imports
nothing of the rest of `serving` and could be a library of its own; `serving.grpc` gives it handlers. Only
the names below are for others. Why it exists, with figures: `docs/adr/0025-own-http2-framing.md`.
"""

from serving.http2.calls import LATER, Answer, CallContext, Handler, StreamingCall, StreamingHandler
from serving.http2.client import UnaryClient
from serving.http2.codes import StatusCode
from serving.http2.errors import Http2Error, LimitsError, StatusError
from serving.http2.limits import Limits
from serving.http2.server import UnaryServer

__all__ = [
    "LATER",
    "Answer",
    "CallContext",
    "Handler",
    "Http2Error",
    "Limits",
    "LimitsError",
    "StatusCode",
    "StatusError",
    "StreamingCall",
    "StreamingHandler",
    "UnaryClient",
    "UnaryServer",
]

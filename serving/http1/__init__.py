"""HTTP/1.1 on asyncio: connections in, requests to a handler, responses out.

Belongs here: parsing, limits, keep-alive and closing. Does not belong here: paths, JSON or models. A
connection is one `asyncio.Protocol` on httptools; every server interface layered above that costs three to
ten times as much per request.
"""

from serving.http1.messages import LATER, Answer, Handler, Head, QuickHandler, Request, Response
from serving.http1.server import RECEIVE_BUDGET_BYTES, HttpServer, Limits

__all__ = [
    "LATER",
    "RECEIVE_BUDGET_BYTES",
    "Answer",
    "Handler",
    "Head",
    "HttpServer",
    "Limits",
    "QuickHandler",
    "Request",
    "Response",
]

"""TensorFlow Serving's gRPC services, as functions from message bytes to message bytes.

Belongs here: the protobuf messages of each method and the mapping of errors to gRPC's codes. Which HTTP/2
server carries them is not its business: a transport takes the table of `Method`s by full path, and
`serving.grpc.aio` (grpcio) is one such transport.
"""

from serving.grpc.calls import Method
from serving.grpc.methods import methods
from serving.grpc.status import PassedStatus, status_of
from serving.http2 import StatusCode

__all__ = ["Method", "PassedStatus", "StatusCode", "methods", "status_of"]

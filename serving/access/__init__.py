"""Who may use which model: bearer tokens and client certificates, where an operator switched them on.

Belongs here: the access file, what a request shows of its sender, and the two doors (`rest`, `grpc`) that stand
in front of everything else of a transport. Does not belong here: TLS itself (`serving.tls`) or what a method
does. Without --access_file nothing of this package is in a request's way. Only `serving.server` imports it.
"""

from serving.access.door import Door
from serving.access.grpc import guard_methods
from serving.access.keeper import Keeper
from serving.access.rest import Rooms, guard_handler

__all__ = ["Door", "Keeper", "Rooms", "guard_handler", "guard_methods"]

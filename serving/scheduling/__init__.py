"""When a question is run, and in whose company: the queue and the batcher.

Belongs here: order, fairness, limits, deadlines and joining rows into one call. Does not belong here: what a
request looks like on the wire, or which version answers it.
"""

from serving.scheduling.batcher import Batcher
from serving.scheduling.costs import Costs
from serving.scheduling.joining import Share
from serving.scheduling.queue import QueueLimits
from serving.scheduling.tasks import Asker, Lane, Task

__all__ = ["Asker", "Batcher", "Costs", "Lane", "QueueLimits", "Share", "Task"]

"""Answers that need not be computed again.

Belongs here: keys, budgets, eviction, sharing of answers under way, and when caching is right at all. Does
not belong here: how an answer is computed, or what its bytes mean.
"""

from serving.caching.flights import Flights
from serving.caching.outputs import OutputCache
from serving.caching.thrift import Thrift
from serving.caching.window import CacheState, decide

__all__ = ["CacheState", "Flights", "OutputCache", "Thrift", "decide"]

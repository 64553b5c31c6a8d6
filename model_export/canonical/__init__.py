"""One spelling for equal graphs, and one name for equal models.

Belongs here: `canonicalise`, which removes from a graph what depends on the process that wrote it (function counters, order,
paths in table names), so that equal sources give equal bytes; and `identity`, a digest over the computation alone, in which node
and function names have no part. Does not belong here: freezing, or reading and writing files.
"""

from model_export.canonical.form import canonicalise
from model_export.canonical.identity import identity

__all__ = ["canonicalise", "identity"]

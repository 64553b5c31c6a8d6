"""Optional changes to a frozen model: the same answers sooner, or nearly the same from fewer bytes.

Belongs here: `optimise`, TensorFlow's own graph optimiser run once at the export instead of at every start of a server, and
`quantise`, weights stored smaller. Both take a frozen model and give one; neither judges the result, which `verify` does. Does not
belong here: runtime settings, which `tuning` measures.
"""

from model_export.refine.optimise import optimise
from model_export.refine.quantise import quantise

__all__ = ["optimise", "quantise"]

"""The contract of a servable: what its clients and its host may rely on, read from `saved_model.pb` without TensorFlow.

Belongs here: reading the file as bytes, the `Contract` value and its JSON form (a stack output), the difference between two
contracts, and the judgement of operations that reach outside the graph. Does not belong here: loading or running a graph.
On the standard library alone, so that `pulumi preview` may import it; whoever deploys, inspects or compares may.
"""

from model_export.contract.difference import (
    Change,
    ContractDiff,
    Level,
    diff,
    explain_difference,
    refuse_breaking,
)
from model_export.contract.document import Contract
from model_export.contract.safety import refuse_unsafe
from model_export.contract.saved_model import Servable, read_contract, read_servable

__all__ = [
    "Change",
    "Contract",
    "ContractDiff",
    "Level",
    "Servable",
    "diff",
    "explain_difference",
    "read_contract",
    "read_servable",
    "refuse_breaking",
    "refuse_unsafe",
]

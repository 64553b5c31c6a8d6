"""Every rule, in the order in which a reader meets them."""

from typing import Final

from policy import gpus, objects, pods, stacks
from policy.rule import Rule, StackRule

RULES: Final[tuple[Rule, ...]] = (*pods.RULES, *gpus.RULES, *objects.RULES)
STACK_RULES: Final[tuple[StackRule, ...]] = stacks.RULES

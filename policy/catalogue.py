"""Every rule, in the order in which a reader meets them."""

from typing import Final

from policy import gpus, images, objects, pods, stacks
from policy.rule import KeyedRule, Rule, StackRule

RULES: Final[tuple[Rule, ...]] = (*pods.RULES, *gpus.RULES, *objects.RULES, *images.RULES)
KEYED_RULES: Final[tuple[KeyedRule, ...]] = images.KEYED_RULES
STACK_RULES: Final[tuple[StackRule, ...]] = stacks.RULES

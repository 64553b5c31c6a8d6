"""docs/policy.md lists every rule and none that is not there."""

import re
from pathlib import Path

from policy.catalogue import KEYED_RULES, RULES, STACK_RULES

TEXT = (Path(__file__).parents[2] / "docs/policy.md").read_text(encoding="utf-8")


def test_the_table_lists_the_catalogue_in_its_order():
    listed = re.findall(r"^\| `([a-z-]+)` \|", TEXT, flags=re.MULTILINE)
    assert listed == [rule.name for rule in (*RULES, *KEYED_RULES, *STACK_RULES)]

"""The part of an initialiser that a frozen graph still needs: filling the static tables that somebody looks up.

Variables are constants by then, so assignments go. So do actions on tables that no signature reaches: their vocabulary need not
travel.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from model_export.graphs.reachability import reach
from model_export.graphs.references import node_of, set_inputs

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_ASSIGNMENTS: Final = frozenset({"Assign", "AssignVariableOp"})
_TABLES: Final = ("HashTable", "HashTableV2")


def keep_needed_actions(
    nodes: Mapping[str, NodeDef], initializer: str | None, live: Collection[str]
) -> str | None:
    """Reduce `initializer` to the actions that fill tables among `live`; None when nothing is left to do."""
    if initializer is None:
        return None
    actions = [each for each in _actions(nodes, initializer) if _fills_live_table(nodes, each, live)]
    if not actions:
        return None
    root = nodes[initializer]
    if actions != [initializer]:
        root.op = "NoOp"
        root.attr.clear()
        set_inputs(root, [], [f"^{each}" for each in sorted(actions)])
    for name in reach(nodes, actions):
        if nodes[name].op in _ASSIGNMENTS:
            _become_no_op(nodes[name])
    return initializer


def _actions(nodes: Mapping[str, NodeDef], initializer: str) -> list[str]:
    found: dict[str, None] = {}
    pending = [initializer]
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        if nodes[name].op in {"NoOp", *_ASSIGNMENTS}:
            pending.extend(node_of(each) for each in nodes[name].input)
        else:
            found[name] = None
    return list(found)


def _fills_live_table(nodes: Mapping[str, NodeDef], action: str, live: Collection[str]) -> bool:
    return any(nodes[name].op in _TABLES and name in live for name in reach(nodes, [action]))


def _become_no_op(node: NodeDef) -> None:
    node.op = "NoOp"
    node.attr.clear()
    set_inputs(node, [], [each for each in node.input if each.startswith("^")])

"""A page for each component, from its source: what it takes, with the line that each field carries, and what it gives.

The source is read and not imported, so that the page is what a reader of the code sees.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_COMPONENTS: Final = Path(__file__).parents[1] / "components"
_BASE: Final = "pulumi.ComponentResource"


@dataclass(frozen=True, kw_only=True)
class Component:
    """A component as its source describes it."""

    name: str
    module: str
    about: str
    """The module's docstring: the one thing it does, and the idea behind it."""
    args: tuple[tuple[str, str, str, str], ...]
    """Name, type, default and meaning."""
    outputs: tuple[tuple[str, str], ...]
    """Name and meaning."""

    def to_markdown(self) -> str:
        """Return the page."""
        lines = [f"# {self.name}", "", f"`components/{self.module}.py`. {self.about}", ""]
        lines += ["## Args", "", "| name | type | default | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{name}` | {_code(kind)} | {_code(default)} | {_cell(doc)} |"
            for name, kind, default, doc in self.args
        ]
        if self.outputs:
            lines += ["", "## Outputs", "", "| name | meaning |", "|---|---|"]
            lines += [f"| `{name}` | {_cell(doc)} |" for name, doc in self.outputs]
        return "\n".join(lines) + "\n"


def all_components() -> Iterator[Component]:
    """Yield every class that is a component, in the order of the modules' names."""
    for path in sorted(_COMPONENTS.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        for name, node in classes.items():
            if any(ast.unparse(base) == _BASE for base in node.bases):
                yield Component(
                    name=name,
                    module=path.stem,
                    about=(ast.get_docstring(tree) or "").partition(": ")[2] or ast.get_docstring(node) or "",
                    args=tuple(_fields(classes[f"{name}Args"])) if f"{name}Args" in classes else (),
                    outputs=tuple((field, doc) for field, _, _, doc in _fields(node)),
                )


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str, str, str]]:
    for number, statement in enumerate(node.body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            after = node.body[number + 1] if number + 1 < len(node.body) else None
            default = "" if statement.value is None else ast.unparse(statement.value)
            yield statement.target.id, ast.unparse(statement.annotation), default, _docstring(after)


def _docstring(node: ast.stmt | None) -> str:
    """The string below a field, which Python ignores and readers do not."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    value = (
        node.value.value
        if is_text and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        else ""
    )
    return value if isinstance(value, str) else ""


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")

"""What a servable promises, as one value and one line of JSON.

The JSON is a stack output: it is stored beside the deployment, read back by the next `pulumi preview`, and compared. So it is
small, sorted and without spaces, and equal contracts are equal text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from model_export.artifact import Signature
from model_export.errors import ContractError

CONTRACT_FORMAT: Final = 1


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The contract of one servable."""

    signatures: tuple[Signature, ...]
    """By name; the tensors of each by name as well."""
    writer_version: str
    """The TensorFlow that wrote the file, such as `2.21.0`; empty where it did not say."""
    tags: tuple[str, ...]
    """Tags of the meta graph, usually `serve`."""
    ops: Mapping[str, int]
    """Operation -> number of nodes, in the graph and in its functions."""
    custom_ops: tuple[str, ...]
    """Operations that TensorFlow does not register: the serving image must bring them."""
    file_ops: tuple[str, ...]
    """Operations that read or write files while the model is served."""
    python_ops: tuple[str, ...]
    """Operations that call back into the Python process which made the graph."""
    host_ops: tuple[str, ...]
    """Operations that print, talk to the network or end the process."""
    assets: tuple[str, ...]
    """File names under `assets/` that the graph asks for."""
    constant_bytes: int
    """Bytes of weights frozen into the graph, as they will lie in memory."""
    variable_bytes: int
    """Bytes of weights that stay variables; 0 for a frozen servable."""
    node_count: int
    digest: str
    """`sha256:` over `saved_model.pb`, `variables/` and `assets/`."""
    format_version: int = CONTRACT_FORMAT

    def to_json(self) -> str:
        """Return the contract as one line of JSON: equal contracts give equal text."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, *, where: str = "the deployed contract") -> Contract:
        """Read a contract; `where` names it in errors.

        Raises ContractError when the text is not a contract, or one of another format.
        """
        try:
            facts = json.loads(text)
            found = facts["format_version"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            message = f"{where}: expected a model contract in JSON, received {text[:60]!r}"
            raise ContractError(f"{message}; read it from the stack output `models`") from error
        if found != CONTRACT_FORMAT:
            message = f"{where}: expected contract format {CONTRACT_FORMAT}, received {found!r}"
            raise ContractError(f"{message}; compare with the release that wrote it")
        try:
            return _contract(facts)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ContractError(
                f"{where}: the contract lacks or mistypes {error}; read it from the stack output `models`"
            ) from error

    def signature(self, name: str) -> Signature | None:
        """Return the signature of that name, `None` where there is none."""
        return next((each for each in self.signatures if each.name == name), None)


def _contract(facts: Mapping[str, Any]) -> Contract:
    def names(key: str) -> tuple[str, ...]:
        return tuple(str(each) for each in facts[key])

    return Contract(
        signatures=tuple(Signature.from_facts(each) for each in facts["signatures"]),
        writer_version=str(facts["writer_version"]),
        tags=names("tags"),
        custom_ops=names("custom_ops"),
        file_ops=names("file_ops"),
        python_ops=names("python_ops"),
        host_ops=names("host_ops"),
        assets=names("assets"),
        ops={str(op): int(count) for op, count in facts["ops"].items()},
        constant_bytes=int(facts["constant_bytes"]),
        variable_bytes=int(facts["variable_bytes"]),
        node_count=int(facts["node_count"]),
        digest=str(facts["digest"]),
    )

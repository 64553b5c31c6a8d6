"""The Open Inference Protocol, version 2, over REST: what KServe and Triton clients speak.

    GET  /v2                                     GET  /v2/health/live    GET  /v2/health/ready
    GET  /v2/models/NAME[/versions/N]            GET  …/ready            POST …/infer

github.com/kserve/open-inference-protocol, inference_rest.yaml. A request may name its signature in
`parameters.signature_name`. Inference itself is in `serving.rest.infer`.
"""

import dataclasses
import functools
import re

import orjson

from serving.errors import NotFound
from serving.http1.segments import decode_segment
from serving.repository import Servable
from serving.tensors.raw_tensors import datatype
from serving.tensors.signatures import TensorSpec

PREFIX = "/v2"
PLATFORM = "tensorflow_savedmodel"

_MODEL = re.compile(
    r"/v2/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d{1,19}))?(?:/(?P<verb>ready|infer))?", re.ASCII
)
_PLAIN = {"/v2": "server", "/v2/": "server", "/v2/health/live": "live", "/v2/health/ready": "health"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a path points at; `name` is empty for the server itself."""

    verb: str
    name: str = ""
    version: int | None = None


@functools.lru_cache(maxsize=1024)
def parse_path(method: str, path: str) -> Target:
    """Raises NotFound when there is no such path for this method."""
    match = _MODEL.fullmatch(path)
    if match is None:
        if path in _PLAIN and method == "GET":
            return Target(verb=_PLAIN[path])
        raise NotFound(f"Not found: {method} {path[:200]}")
    verb, name = match["verb"] or "metadata", decode_segment(match["name"])
    if name is None or method != ("POST" if verb == "infer" else "GET"):
        raise NotFound(f"Not found: {method} {path[:200]}")
    return Target(verb=verb, name=name, version=int(match["version"]) if match["version"] else None)


def model_document(servable: Servable, versions: list[int]) -> bytes:
    """The metadata of a model: its default signature as inputs and outputs."""
    signature = servable.signature()
    return orjson.dumps(
        {
            "name": servable.name,
            "versions": [str(version) for version in versions],
            "platform": PLATFORM,
            "inputs": [_tensor(spec) for spec in signature.inputs.values()],
            "outputs": [_tensor(spec) for spec in signature.outputs.values()],
        }
    )


def _tensor(spec: TensorSpec) -> dict[str, object]:
    shape = [-1] if spec.shape is None else [-1 if size is None else size for size in spec.shape]
    return {"name": spec.alias, "datatype": datatype(spec), "shape": shape}

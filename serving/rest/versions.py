"""The header that says which version answered: TensorFlow Serving's bodies for REST have no place for it.

The value is what gRPC says in `model_spec.version`, and the Open Inference Protocol in `model_version`; the name is how
others who serve models over HTTP spell it. While a label moves, replicas may answer from different versions for a
moment: who reads this can tell, and ask for the version by its number.
"""

import functools
from typing import Final

from serving.http1.messages import write_fields

VERSION_HEADER: Final = "x-model-version"


@functools.lru_cache(maxsize=1024)
def version_fields(version: int) -> bytes:
    """For `Request.answer_fields`; the same object for the same version, so that heads made with it are found again."""
    return write_fields([(VERSION_HEADER, str(version))])

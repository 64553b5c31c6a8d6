"""Requests that travel with a servable, in TensorFlow Serving's own format: TFRecords of PredictionLog.

Belongs here: `assets.extra/tf_serving_warmup_requests`, which a server replays before it says that it is ready, one record per
batch size; and `assets.extra/golden_requests`, the same with the source's answers, against which anyone can check a server without
having the source. Does not belong here: choosing the questions, or judging the answers.
"""

from model_export.warmup.files import (
    GOLDEN_PATH,
    WARMUP_PATH,
    Golden,
    read_golden,
    read_warmup,
    write_golden,
    write_warmup,
)

__all__ = [
    "GOLDEN_PATH",
    "WARMUP_PATH",
    "Golden",
    "read_golden",
    "read_warmup",
    "write_golden",
    "write_warmup",
]

"""A BentoML service with its adaptive batching. `bentoml serve bentoml_server:Mnist`."""

import bentoml
import numpy as np
from tensorflow_call import load


@bentoml.service(
    workers=1, traffic={"timeout": 30, "max_concurrency": 256}, logging={"access": {"enabled": False}}
)
class Mnist:
    def __init__(self) -> None:
        self._model = load()

    @bentoml.api(batchable=True, max_batch_size=32)
    def predict(self, instances: np.ndarray) -> np.ndarray:
        return self._model(instances.astype(np.float32, copy=False))

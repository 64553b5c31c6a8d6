"""An MLServer model: the numpy codec in and out, batching by the settings beside it (`mlserver_settings.json`)."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from tensorflow_call import load


class Mnist(MLModel):
    async def load(self) -> bool:
        self._model = load()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        images = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32, copy=False)
        scores = NumpyCodec.encode_output("scores", self._model(images))
        return InferenceResponse(model_name=self.name, outputs=[scores])

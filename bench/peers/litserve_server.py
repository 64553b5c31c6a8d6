"""LitServe with its batching: decode, batch, predict, unbatch, encode."""

import os
from typing import Any

import litserve as ls
import numpy as np
from tensorflow_call import Images, Scores, load


class Mnist(ls.LitAPI):
    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe passes it by name
        self._model = load()

    def decode_request(self, request: dict[str, Any]) -> Images:
        return np.array(request["instances"], dtype=np.float32)

    def batch(self, inputs: list[Images]) -> Images:
        return np.concatenate(inputs)

    def predict(self, x: Images) -> Scores:
        return self._model(x)

    def unbatch(self, output: Scores) -> list[Scores]:
        return list(output)

    def encode_response(self, output: Scores) -> dict[str, Any]:
        return {"predictions": [output.tolist()]}


if __name__ == "__main__":
    api = Mnist(max_batch_size=32, batch_timeout=0.001)
    server = ls.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(os.environ["PORT"]), generate_client_file=False, log_level="warning"
    )

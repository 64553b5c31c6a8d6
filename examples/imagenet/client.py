"""Ask a served ImageNet model what is on a photo, and print the PredictResponse.

    python examples/imagenet/client.py --server=localhost:9000 --image=examples/imagenet/cat.jpg

The client of TensorFlow Serving's Inception example: the file's bytes are the request, decoding is the model's business. It imports
nothing of this project.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import grpc
import numpy as np

DT_STRING = 7
"""tensorflow/core/framework/types.proto."""
FLOAT = "<f4"


def main() -> int:
    """Ask once, print the answer, and return the exit code."""
    args = _arguments()
    try:
        image = args.image.read_bytes()
        response = ask(args.server, image, model=args.model, timeout_seconds=args.timeout_seconds)
    except OSError as error:
        print(
            f"error: expected a photo at {args.image}, received {error.strerror}; correct --image",
            file=sys.stderr,
        )
        return 1
    except grpc.RpcError as error:
        print(
            f"error: expected an answer from {args.server}, received {error.code().name}: {error.details()}",
            file=sys.stderr,
        )
        return 1
    print(readable(response))
    return 0


def ask(server: str, image: bytes, *, model: str, timeout_seconds: float) -> Any:  # noqa: ANN401 - a protobuf
    """Send one photo (JPEG, PNG, GIF or BMP bytes) and return the PredictResponse."""
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "predict_images"
    request.inputs["images"].dtype = DT_STRING
    request.inputs["images"].tensor_shape.dim.add(size=1)
    request.inputs["images"].string_val.append(image)
    with grpc.insecure_channel(server) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return stub.Predict(request, timeout=timeout_seconds)


def readable(response: Any) -> Any:  # noqa: ANN401 - a protobuf
    """Return the response with its scores as numbers: a server may send them as raw bytes, which print as noise."""
    scores = response.outputs["scores"]
    if scores.tensor_content:
        numbers = np.frombuffer(scores.tensor_content, FLOAT).tolist()
        scores.ClearField("tensor_content")
        scores.float_val.extend(numbers)
    return response


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ask a served ImageNet model what is on a photo.")
    parser.add_argument(
        "--server", default="localhost:9000", help="gRPC address, host:port (default: localhost:9000)"
    )
    parser.add_argument("--image", type=Path, required=True, help="photo: JPEG, PNG, GIF or BMP")
    parser.add_argument("--model", default="imagenet", help="model name (default: imagenet)")
    parser.add_argument("--timeout-seconds", type=float, default=10.0, help="patience (default: 10)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""Ask a served MNIST model about held-out images and print its error rate.

The client of TensorFlow Serving's MNIST tutorial, over gRPC or REST: each image is a request of its own, so that what is
measured is what a user's single questions get. It needs only the served model's address and the `heldout.npz` that training
left behind; it imports nothing of this project.

    python examples/mnist/client.py --server=localhost:8500 --examples=build/mnist/heldout.npz
    python examples/mnist/client.py --url=http://localhost:8501 --examples=build/mnist/heldout.npz
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]
Ask = Callable[[Images], int]
"""One image, float32[784] in 0..1, to the digit that the model reads in it."""


def main() -> int:
    arguments = _arguments()
    images, labels = _examples(arguments.examples, arguments.num_tests)
    connect = _over_grpc if arguments.server else _over_rest
    try:
        with connect(arguments) as ask:
            wrong = count_wrong(ask, images, labels, arguments.concurrency)
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"client: no answer from {arguments.server or arguments.url}: {error}", file=sys.stderr)
        return 1
    rate = 100.0 * wrong / len(labels)
    print(f"Inference error rate: {rate:.1f}%")
    if arguments.json:
        print(json.dumps({"error_rate": rate, "requests": len(labels), "wrong": wrong}))
    return 0


def count_wrong(ask: Ask, images: Images, labels: NDArray[np.int64], concurrency: int) -> int:
    """Ask for every image, `concurrency` requests at a time, and count the answers that differ from the label."""
    wrong = done = 0
    with ThreadPoolExecutor(concurrency) as pool:
        for answer, label in zip(pool.map(ask, images), labels, strict=True):
            wrong += answer != label
            done += 1
            if done % 250 == 0:
                print(f"  {done} of {len(labels)} images asked", flush=True)
    return int(wrong)


@contextmanager
def _over_grpc(arguments: argparse.Namespace) -> Iterator[Ask]:
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    with grpc.insecure_channel(arguments.server) as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict

        def ask(image: Images) -> int:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = arguments.model
            request.model_spec.signature_name = arguments.signature
            tensor = request.inputs["images"]
            tensor.dtype = 1  # DT_FLOAT
            for size in (1, image.size):
                tensor.tensor_shape.dim.add(size=size)
            tensor.tensor_content = image.astype("<f4").tobytes()
            try:
                scores = predict(request, timeout=arguments.timeout_seconds).outputs["scores"]
            except grpc.RpcError as error:
                raise ConnectionError(f"{error.code().name}: {error.details()}") from error
            return int(np.argmax(scores.float_val or np.frombuffer(scores.tensor_content, "<f4")))

        yield ask


@contextmanager
def _over_rest(arguments: argparse.Namespace) -> Iterator[Ask]:
    address = urlsplit(arguments.url)
    path = f"{address.path.rstrip('/')}/v1/models/{arguments.model}:predict"
    local = threading.local()

    def connection() -> http.client.HTTPConnection:
        if not hasattr(local, "connection"):
            made = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
            local.connection = made(address.netloc, timeout=arguments.timeout_seconds)
        return local.connection  # type: ignore[no-any-return]  # thread-local attributes have no type

    def ask(image: Images) -> int:
        body = json.dumps({"signature_name": arguments.signature, "instances": [image.tolist()]})
        connection().request("POST", path, body, {"Content-Type": "application/json"})
        response = connection().getresponse()
        answer: dict[str, Any] = json.loads(response.read())  # JSON from the server
        if response.status != 200:
            raise ConnectionError(f"HTTP {response.status}: {answer.get('error')}")
        return int(np.argmax(answer["predictions"][0]))

    yield ask


def _examples(path: Path, count: int) -> tuple[Images, NDArray[np.int64]]:
    try:
        with np.load(path, allow_pickle=False) as held_out:
            return held_out["images"][:count], held_out["labels"][:count]
    except (OSError, KeyError, ValueError) as error:
        sys.exit(
            f"client: expected {path} with `images` and `labels`, received {error}; run examples/mnist/train.py"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--server", help="gRPC address, host:port")
    where.add_argument("--url", help="REST address, http://host:port")
    parser.add_argument("--examples", type=Path, required=True, help="heldout.npz of examples/mnist/train.py")
    parser.add_argument(
        "--num_tests", type=int, default=1000, help="how many images to ask about (default 1000)"
    )
    parser.add_argument("--concurrency", type=int, default=4, help="requests in flight (default 4)")
    parser.add_argument("--model", default="mnist", help="model name (default mnist)")
    parser.add_argument("--signature", default="predict_images", help="signature (default predict_images)")
    parser.add_argument("--timeout_seconds", type=float, default=10.0, help="per request (default 10)")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""A client written from TensorFlow Serving's documentation alone gets TensorFlow's own answers."""

import http.client
import json
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.e2e.commands import ROOT, kubectl

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(5000)]

COUNT = 50

ASK_TENSORFLOW = """
import sys
import numpy as np
import tensorflow as tf

folder, count = sys.argv[1], int(sys.argv[2])
prefix = tf.train.latest_checkpoint(folder)
images = np.load(folder + "/heldout.npz")["images"][:count]
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    tf.compat.v1.train.import_meta_graph(prefix + ".meta").restore(session, prefix)
    np.save(sys.stdout.buffer, session.run("scores:0", {"images:0": images}))
"""

ASK_OVER_GRPC = """
import sys
import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

target, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
images = np.load(folder + "/heldout.npz")["images"][:count]
request = predict_pb2.PredictRequest()
request.model_spec.name = "mnist"
request.model_spec.signature_name = "predict_images"
request.inputs["images"].CopyFrom(tf.make_tensor_proto(images))
with grpc.insecure_channel(target) as channel:
    answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=10)
np.save(sys.stdout.buffer, tf.make_ndarray(answer.outputs["scores"]))
"""


def ask(program: str, *words: str) -> np.ndarray[Any, Any]:
    import io

    finished = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, check=False)
    assert finished.returncode == 0, finished.stderr.decode()
    return np.load(io.BytesIO(finished.stdout))


@pytest.fixture(scope="module")
def truth(road: dict[str, Any]) -> np.ndarray[Any, Any]:
    """TensorFlow on the checkpoint itself: float32[50, 10]."""
    assert road
    return ask(ASK_TENSORFLOW, str(ROOT / "build/mnist"), str(COUNT))


def test_the_error_rate_is_at_most_eleven_percent_over_both_transports(road: dict[str, Any]) -> None:
    assert set(road["error_rates"]) == {"grpc", "rest"}
    assert road["error_rates"]["grpc"] == road["error_rates"]["rest"]
    assert 0 < road["error_rate"] <= 11


def test_the_summary_names_everything_that_a_client_needs(road: dict[str, Any]) -> None:
    assert {
        "rest_url",
        "grpc_target",
        "error_rate",
        "training_accuracy",
        "image",
        "image_bytes",
        "model_digest",
    } <= set(road)
    assert "@sha256:" in road["image"]
    assert 0 < road["image_bytes"] <= 260_000_000


def test_grpc_answers_equal_tensorflow_on_the_checkpoint(
    road: dict[str, Any], truth: np.ndarray[Any, Any]
) -> None:
    answers = ask(ASK_OVER_GRPC, road["grpc_target"], str(ROOT / "build/mnist"), str(COUNT))
    # Folding constants reorders a few float32 additions: guide 1e-5 relative.
    np.testing.assert_allclose(answers, truth, rtol=1e-5, atol=1e-7)


def test_rest_answers_equal_tensorflow_on_the_checkpoint(
    road: dict[str, Any], images_and_labels: Any, truth: np.ndarray[Any, Any]
) -> None:
    images, _ = images_and_labels
    address = urlsplit(road["rest_url"])
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.request("POST", "/v1/models/mnist:predict", json.dumps({"instances": images[:COUNT].tolist()}))
    answer = json.loads(connection.getresponse().read())
    connection.close()
    np.testing.assert_allclose(np.array(answer["predictions"]), truth, rtol=1e-5, atol=1e-7)


def test_pods_run_under_the_restricted_profile(outputs: dict[str, Any]) -> None:
    labels = kubectl("get", "namespace", outputs["namespace"])["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    pods = kubectl("get", "pods", namespace=outputs["namespace"])["items"]
    assert pods
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    assert all(
        container["securityContext"]["readOnlyRootFilesystem"]
        for pod in pods
        for container in pod["spec"]["containers"]
    )

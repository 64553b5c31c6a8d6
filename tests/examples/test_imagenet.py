"""The ImageNet road: real weights, a checkpoint, a servable, a photo, a cat."""

import io
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from model_export.artifact import ExportRequest, Manifest
from model_export.exporting import export
from tests.model_export.answering import answers

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[2]
CAT = ROOT / "examples" / "imagenet" / "cat.jpg"


def run(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "examples" / script), *(str(each) for each in words)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return []


@pytest.fixture(scope="module")
def servable(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> Path:
    folder = tmp_path_factory.mktemp("imagenet")
    done = run("imagenet/checkpoint.py", "--output-dir", folder / "training")
    assert done.returncode == 0, done.stderr
    request = ExportRequest(
        name="imagenet",
        source=folder / "training" / "model.ckpt-157585",
        base_path=folder / "models",
        outputs=("classes", "scores"),
        signature="predict_images",
        preprocessed="pixels",
    )
    return export(request, report=lines.append).path


def test_the_checkpoint_is_announced_as_the_seed_announces_it(servable: Path, lines: list[str]) -> None:
    prefix = servable.parent.parent / "training" / "model.ckpt-157585"

    assert lines[0] == f"Successfully loaded model from {prefix} at step=157585."
    assert servable.name == "157585"


def test_a_photo_of_a_cat_is_a_cat_to_every_signature(servable: Path) -> None:
    for signature in ("predict_images", "serving_default"):
        found = answers(servable, {"images": np.array([CAT.read_bytes()] * 2, object)}, signature=signature)

        assert (found["classes"].shape, found["scores"].shape) == ((2, 5), (2, 5))
        best = [name.decode() for name in found["classes"][0][:3]]
        assert set(best) == {"Egyptian Mau", "a cat having a striped coat", "tabby cat"}
        assert found["scores"][0].sum() > 0.9


def test_the_signature_takes_photos_and_gives_classes_and_scores(servable: Path) -> None:
    signature = Manifest.read(servable).signatures[0]

    assert [(each.name, each.dtype, each.shape) for each in signature.inputs] == [
        ("images", "string", (None,))
    ]
    outputs = [("classes", "string", (None, 5)), ("scores", "float32", (None, 5))]
    assert [(each.name, each.dtype, each.shape) for each in signature.outputs] == outputs


def test_the_preprocessed_tensor_is_marked_in_manifest_and_graph_and_can_be_fed(servable: Path) -> None:
    import tensorflow as tf

    mark = Manifest.read(servable).extra["preprocessed"]
    assert mark == {"tensor": "pixels:0", "dtype": "float32", "shape": [None, 224, 224, 3]}

    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(servable))
        assert list(meta_graph.collection_def["tf_serving_platform/preprocessed"].node_list.value) == [
            "pixels:0"
        ]
        pixels = session.run("pixels:0", {"images:0": [CAT.read_bytes()]})
        assert session.run("classes:0", {"pixels:0": pixels})[0, 0] == b"Egyptian Mau"


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    """A PredictionService that has seen one photo in its life, and keeps what it was asked."""
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    asked: list[Any] = []

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc]
        def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
            asked.append(request)
            response = predict_pb2.PredictResponse()
            response.outputs["classes"].string_val.append(b"tabby cat")
            response.outputs["scores"].tensor_content = np.array([0.5], np.float32).tobytes()
            return response

    running = grpc.server(ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), running)
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    yield f"127.0.0.1:{port}", asked
    running.stop(None).wait()


def test_the_client_sends_the_photo_and_prints_the_response(server: tuple[str, list[Any]]) -> None:
    address, asked = server

    done = run("imagenet/client.py", f"--server={address}", f"--image={CAT}")

    assert done.returncode == 0, done.stderr
    assert 'string_val: "tabby cat"' in done.stdout
    assert "float_val: 0.5" in done.stdout
    assert (asked[0].model_spec.name, asked[0].model_spec.signature_name) == ("imagenet", "predict_images")
    assert asked[0].inputs["images"].string_val == [CAT.read_bytes()]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ("--server=127.0.0.1:1", f"--image={CAT}"),
            "expected an answer from 127.0.0.1:1, received UNAVAILABLE",
        ),
        (("--image=no-cat.jpg",), "expected a photo at no-cat.jpg"),
    ],
    ids=["no server", "no photo"],
)
def test_a_client_that_gets_nowhere_says_so_in_one_sentence(words: tuple[str, ...], reason: str) -> None:
    done = run("imagenet/client.py", *words)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: {reason}")


def test_weights_that_would_run_code_are_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (print, ("run",))

    buffer = io.BytesIO()
    pickle.dump(Evil(), buffer)
    (tmp_path / "evil.pth").write_bytes(buffer.getvalue())
    program = f"import pathlib, torch_weights; torch_weights.read_weights(pathlib.Path({str(tmp_path / 'evil.pth')!r}))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT / "examples" / "imagenet",
        capture_output=True,
        text=True,
        check=False,
    )

    assert "the name builtins.print, which no plain weights need" in done.stderr
    assert done.stdout == ""

"""The same laws for both ways of calling TensorFlow; the answers are TensorFlow's own arithmetic."""

import threading
from pathlib import Path

import numpy as np
import pytest

from serving.backend import Session, load_session
from serving.errors import InvalidRequest, ModelError
from serving.settings import ServingSettings
from serving.tensors.dtypes import BY_NAME, Array, float_to_bfloat16
from serving.tensors.signatures import DEFAULT_SIGNATURE

pytestmark = pytest.mark.tensorflow

SAMPLES: dict[str, Array] = {
    "float": np.array([[1.5, -0.0], [np.inf, np.nan]], np.float32),
    "double": np.array([[1e300, 5e-324], [1, 2]], np.float64),
    "int32": np.array([[-(2**31), 2**31 - 1], [0, 1]], np.int32),
    "uint8": np.array([[0, 255], [1, 2]], np.uint8),
    "int16": np.array([[-(2**15), 2**15 - 1], [0, 1]], np.int16),
    "int8": np.array([[-128, 127], [0, 1]], np.int8),
    "string": np.array([[b"", b"a\0b"], [b"x" * 1000, "é".encode()]], object),
    "complex64": np.array([[1 + 2j, -1j], [0, 1]], np.complex64),
    "int64": np.array([[-(2**63), 2**63 - 1], [0, 1]], np.int64),
    "bool": np.array([[True, False], [False, True]]),
    "bfloat16": float_to_bfloat16(np.array([[1.5, -2], [3.140625, 0]], np.float32)),
    "uint16": np.array([[0, 2**16 - 1], [1, 2]], np.uint16),
    "complex128": np.array([[1e300 + 2j, -1j], [0, 1]], np.complex128),
    "half": np.array([[1.5, -65504], [6e-8, 0]], np.float16),
    "uint32": np.array([[0, 2**32 - 1], [1, 2]], np.uint32),
    "uint64": np.array([[0, 2**64 - 1], [1, 2]], np.uint64),
}


@pytest.fixture(scope="module", params=["c_api", "python"])
def settings(request: pytest.FixtureRequest) -> ServingSettings:
    return ServingSettings(backend=request.param)


def run(
    session: Session, inputs: dict[str, Array], *outputs: str, signature: str = DEFAULT_SIGNATURE
) -> list[Array]:
    described = session.signatures[signature]
    runner = session.bind(
        [described.inputs[alias] for alias in inputs], [described.outputs[alias] for alias in outputs]
    )
    return runner(list(inputs.values()))


def test_a_frozen_model_answers(models: Path, settings: ServingSettings) -> None:
    session = load_session(models / "half_plus_two" / "1", settings)
    (y,) = run(session, {"x": np.array([[1], [2]], np.float32)}, "y")
    np.testing.assert_array_equal(y, [[2.5], [3.0]])


def test_a_model_with_variables_answers(models: Path, settings: ServingSettings) -> None:
    session = load_session(models / "dense" / "1", settings)
    x = np.eye(4, dtype=np.float32)
    probabilities, classes = run(session, {"x": x}, "probabilities", "classes")
    logits = np.arange(12, dtype=np.float32).reshape(4, 3) / 10
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-6)  # float32 exp in another order
    np.testing.assert_array_equal(classes, [2, 2, 2, 2])


@pytest.mark.parametrize("name", SAMPLES)
def test_every_data_type_survives_bit_by_bit(models: Path, settings: ServingSettings, name: str) -> None:
    session = load_session(models / "dtypes" / "1", settings)
    dtype = BY_NAME[name]
    aliases = {spec.dtype.name: spec.alias for spec in session.signatures[DEFAULT_SIGNATURE].inputs.values()}
    inputs = {aliases[other]: value for other, value in SAMPLES.items()}
    (answer,) = run(session, inputs, f"{aliases[name]}_out")
    assert answer.dtype == dtype.storage
    if dtype.is_string:
        assert answer.tolist() == SAMPLES[name].tolist()
    else:
        assert answer.tobytes() == SAMPLES[name].tobytes()


def test_an_empty_batch_is_answered_with_an_empty_batch(models: Path, settings: ServingSettings) -> None:
    session = load_session(models / "words" / "1", settings)
    upper, length = run(session, {"text": np.empty((0,), object)}, "upper", "length")
    assert upper.shape == length.shape == (0,)


def test_what_the_graph_refuses_is_the_askers_fault(models: Path, settings: ServingSettings) -> None:
    session = load_session(models / "strict" / "1", settings)
    with pytest.raises(InvalidRequest, match="x must not be negative"):
        run(session, {"x": np.array(-1, np.float32)}, "root")
    (root,) = run(session, {"x": np.array(4, np.float32)}, "root")
    assert root == 2


def test_threads_do_not_mix_up_their_answers(models: Path, settings: ServingSettings) -> None:
    session = load_session(models / "words" / "1", settings)
    described = session.signatures[DEFAULT_SIGNATURE]
    runner = session.bind(list(described.inputs.values()), [described.outputs["upper"]])
    wrong: list[object] = []

    def ask(name: str) -> None:
        for index in range(50):
            text = f"{name}-{index}"
            (answer,) = runner([np.array([text.encode()], object)])
            if answer[0] != text.upper().encode():
                wrong.append((text, answer))

    threads = [threading.Thread(target=ask, args=(f"thread{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_signatures_are_read_with_their_types_and_shapes(models: Path, settings: ServingSettings) -> None:
    session = load_session(models / "half_plus_two" / "1", settings)
    assert sorted(session.signatures) == ["classify_x_to_y", "regress_x_to_y", "serving_default"]
    described = session.signatures["serving_default"]
    assert [str(spec) for spec in described.inputs.values()] == ["x: float[-1,1]"]
    assert described.is_batched


def test_a_folder_without_a_model_is_a_clear_error(tmp_path: Path, settings: ServingSettings) -> None:
    with pytest.raises(ModelError, match="expected a SavedModel that TensorFlow can load in"):
        load_session(tmp_path, settings)


def test_a_closed_session_can_be_loaded_again(models: Path, settings: ServingSettings) -> None:
    for _ in range(2):
        session = load_session(models / "half_plus_two" / "1", settings)
        run(session, {"x": np.array([[1]], np.float32)}, "y")
        session.close()


def test_a_library_that_is_not_there_falls_back_to_python(models: Path, tmp_path: Path) -> None:
    settings = ServingSettings(tensorflow_library_dir=str(tmp_path))
    session = load_session(models / "half_plus_two" / "1", settings)
    (y,) = run(session, {"x": np.array([[1]], np.float32)}, "y")
    assert y == 2.5


def test_a_library_that_was_asked_for_and_is_not_there_is_an_error(models: Path, tmp_path: Path) -> None:
    settings = ServingSettings(tensorflow_library_dir=str(tmp_path), backend="c_api")
    with pytest.raises(ModelError, match="set TFSP_TENSORFLOW_LIBRARY_DIR to its folder"):
        load_session(models / "half_plus_two" / "1", settings)

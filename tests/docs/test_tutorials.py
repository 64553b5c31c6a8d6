"""The tutorials, followed to the letter: every block runs, or where it needs a cluster its words are checked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.pages import follow
from tests.model_export.repository.conftest import s3_environment, s3_server
from tests.model_export.repository.s3_server import ACCESS, BUCKET, SECRET, S3Server
from tests.serving.processes import free_port

__all__ = ["s3_environment", "s3_server"]


@pytest.mark.tensorflow
def test_your_own_keras_model(tmp_path: Path) -> None:
    ports = {port: str(free_port()) for port in ("8501", "8503")}
    page = {
        "build/tutorial": str(tmp_path),
        "$PWD/": "",
        "--console_port": f"--port={free_port()} --rest_api_port={ports['8501']} --console_port",
        **ports,
    }
    printed = follow("docs/tutorials/keras.md", replace=page)
    answers = [text for text in printed if '"predictions"' in text]
    (scores,) = json.loads(answers[0])["predictions"]
    assert max(range(3), key=scores.__getitem__) == 1
    assert any("signed by the key" in text for text in printed)


def test_a_model_repository_on_s3(
    tmp_path: Path, s3_server: S3Server, s3_environment: Callable[[S3Server], None]
) -> None:
    s3_environment(s3_server)
    printed = follow(
        "docs/tutorials/s3.md",
        replace={
            "=training ": f"={ACCESS} ",
            "at-least-eight-letters": SECRET,
            "http://127.0.0.1:7070": s3_server.endpoint,
            "s3://models/mnist": f"s3://{BUCKET}/{tmp_path.name}/mnist",
            "build/tutorial": str(tmp_path),
        },
    )
    assert any("1000" in text for text in printed)
    assert (tmp_path / "fetched/1000/saved_model.pb").is_file()

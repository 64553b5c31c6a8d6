import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[3]
CHROMIUM = "/usr/bin/chromium"
PICTURES = "PICTURES"
"""Where screenshots go: `PICTURES=docs/pictures pytest -m browser` draws those of the docs anew."""


# Until the end of the module only: while it is open, its event loop would be in the way of other tests' loops.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; `bin/setup --browser` installs it."""
    with sync_playwright() as playwright:
        # As root, and in a container without user namespaces, Chromium's own sandbox cannot be had; the page is ours.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False)
        yield chromium
        chromium.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """The folder for screenshots."""
    return Path(os.environ.get(PICTURES, tmp_path))


@pytest.fixture(scope="session")
def imagenet() -> Path:
    """The base path of the ImageNet example's servable: made once for each state of the example and of the exporter's locks."""
    made_from = [*sorted((ROOT / "examples/imagenet").glob("*.py")), ROOT / "requirements/export.txt"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in made_from)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tf-serving-platform/test-models"
    target = cache / f"imagenet-{digest}"
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as making:
            _export_imagenet(Path(making))
            with contextlib.suppress(OSError):  # another run was faster
                (Path(making) / "models").rename(target)
    return target


def _export_imagenet(folder: Path) -> None:
    training = folder / "training"
    _run("examples/imagenet/checkpoint.py", f"--output-dir={training}")
    words = [
        "--outputs=classes,scores",
        "--preprocessed=pixels",
        "--signature=predict_images",
        "--name=imagenet",
    ]
    source = f"--source={training / 'model.ckpt-157585'}"
    _run("-m", "model_export", "export", source, *words, f"--base-path={folder / 'models'}")


def _run(*words: str) -> None:
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

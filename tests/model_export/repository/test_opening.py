"""From an address to a repository."""

import subprocess
import sys
from pathlib import Path

import pytest

from model_export.errors import RepositoryError
from model_export.repository import open_repository
from model_export.repository.folder import FolderRepository
from model_export.repository.s3 import S3Repository


@pytest.mark.parametrize("address", ["models/mnist", "/models/mnist", Path("models")])
def test_a_path_is_a_folder(address: str | Path) -> None:
    assert isinstance(open_repository(address), FolderRepository)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/models/mnist/", "s3://bucket/models/mnist"),
        ("s3://bucket/mnist?writers=one", "s3://bucket/mnist"),
    ],
)
def test_an_s3_address_is_a_bucket_and_a_prefix(
    monkeypatch: pytest.MonkeyPatch, address: str, expected: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    repository = open_repository(address)
    assert isinstance(repository, S3Repository)
    assert repository.address == expected


@pytest.mark.parametrize(
    "address", ["gs://bucket/x", "s3:///x", "s3://b/x?writer=one", "s3://b/x?writers=two", "http://b/x"]
)
def test_any_other_address_is_refused_in_words(address: str) -> None:
    with pytest.raises(RepositoryError, match=r"expected a folder or s3://bucket/prefix .*, received"):
        open_repository(address)


def test_a_folder_repository_needs_neither_boto3_nor_tensorflow() -> None:
    program = (
        "import sys; from model_export.repository import open_repository; open_repository('x').versions(); "
        "sys.exit(bool({'boto3', 'botocore', 'tensorflow', 'numpy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_environment_without_boto3_is_told_what_to_install() -> None:
    program = (
        "import sys; sys.modules['boto3'] = None\n"
        "from model_export.repository import open_repository\n"
        "from model_export.errors import RepositoryError\n"
        "try: open_repository('s3://bucket/mnist')\n"
        "except RepositoryError as error: print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert "expected boto3 to speak S3" in told
    assert "install requirements/export.txt" in told

"""What ModelRepository declares, and how it lets a pod in."""

from typing import Any

import pytest

from components.config.fields import read_section
from components.config.training_sections import RepositoryConfig
from components.errors import ConfigError
from components.model_repository import ModelRepository, ModelRepositoryArgs, repository_access
from tests.components.declared import Program, declare


def repository(**keys: Any) -> RepositoryConfig:
    return read_section(RepositoryConfig, keys, where="repository")


def deploy(**keys: Any) -> Program:
    args = ModelRepositoryArgs(namespace="training", repository=repository(**keys))
    return declare(lambda: ModelRepository("models", args))


def test_a_bucket_is_referred_to_and_nothing_is_made():
    assert [
        each.kind for each in deploy(bucket="s3://models/team").resources if "kubernetes" in each.type
    ] == []


def test_a_volume_is_one_claim_that_many_nodes_mount():
    claim = deploy(volumeGib=20, storageClass="fast").one("PersistentVolumeClaim").inputs
    assert claim["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "20Gi"}},
    }


def test_each_model_has_a_base_path_of_its_own():
    assert (
        repository_access(repository(bucket="s3://models/team/")).address("mnist") == "s3://models/team/mnist"
    )
    assert repository_access(repository(volumeGib=1)).address("mnist") == "/repository/mnist"


def test_credentials_are_a_file_and_no_variable():
    access = repository_access(repository(bucket="s3://models/team", credentialsSecret="s3"))
    assert access.variables == {"AWS_SHARED_CREDENTIALS_FILE": "/var/run/model-repository/credentials"}
    (volume,) = access.volumes(is_read_only=True)
    assert volume.secret.secret_name == "s3"
    assert [mount.mount_path for mount in access.mounts(is_read_only=True)] == ["/var/run/model-repository"]


def test_a_pod_with_an_identity_of_its_own_mounts_nothing():
    access = repository_access(repository(bucket="s3://models/team", region="eu-west-1"))
    assert (access.volumes(is_read_only=True), access.mounts(is_read_only=True)) == ([], [])
    assert [(each.name, each.value) for each in access.environment()] == [("AWS_REGION", "eu-west-1")]


def test_servers_mount_a_volume_to_read():
    access = repository_access(repository(volumeGib=1))
    assert access.mounts(is_read_only=True)[0].read_only is True
    assert access.volumes(is_read_only=True)[0].persistent_volume_claim.read_only is True


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "neither is set; set exactly one"),
        ({"bucket": "s3://models/team", "volumeGib": 1}, "both are set; set exactly one"),
        ({"bucket": "models/team"}, "a bucket with a prefix, such as s3://models/team"),
        (
            {"volumeGib": 1, "endpoint": "https://s3.example.com"},
            "repository.endpoint is .* but there is no bucket",
        ),
        (
            {"volumeGib": 1, "credentialsSecret": "s3"},
            "repository.credentialsSecret is 's3' but there is no bucket",
        ),
        ({"bucket": "s3://models/team", "storageClass": "fast"}, "repository.storageClass is 'fast' but"),
        ({"bucketname": "x"}, "unknown key repository.bucketname; did you mean bucket?"),
    ],
    ids=[
        "none",
        "both",
        "no address",
        "endpoint of a volume",
        "secret of a volume",
        "class of a bucket",
        "unknown",
    ],
)
def test_what_is_no_repository_is_a_sentence(keys, words):
    with pytest.raises(ConfigError, match=words.replace("?", r"\?")):
        repository(**keys)

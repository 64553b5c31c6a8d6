"""Image references as registries address them."""

import pytest

from launch.registry import manifest_url

HASH = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        (f"127.0.0.1:5000/a/b@{HASH}", f"http://127.0.0.1:5000/v2/a/b/manifests/{HASH}"),
        (f"127.0.0.1:5000/a/b:1@{HASH}", f"http://127.0.0.1:5000/v2/a/b/manifests/{HASH}"),
        ("localhost:5000/a:1", "http://localhost:5000/v2/a/manifests/1"),
        (f"registry.example.com/team/a@{HASH}", f"https://registry.example.com/v2/team/a/manifests/{HASH}"),
        ("registry.example.com/a", "https://registry.example.com/v2/a/manifests/latest"),
    ],
    ids=["digest", "tag and digest", "tag", "other host", "neither"],
)
def test_a_reference_has_one_manifest_address(reference: str, url: str) -> None:
    assert manifest_url(reference) == url

import subprocess
from pathlib import Path

import pytest

from toolchain.cluster import certificates


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    certificates.make_all(folder)
    return folder


def test_every_certificate_is_signed_by_the_clusters_authority(folder: Path) -> None:
    leaves = [folder / f"{each.name}.crt" for each in certificates.CERTIFICATES]
    subprocess.run(
        ["openssl", "verify", "-CAfile", folder / "ca.crt", *leaves], check=True, capture_output=True
    )


def test_a_second_time_changes_nothing_and_a_gap_is_filled(folder: Path) -> None:
    before = (folder / "admin.crt").read_bytes()
    (folder / "scheduler.crt").unlink()
    certificates.make_all(folder)
    assert (folder / "admin.crt").read_bytes() == before
    assert (folder / "scheduler.crt").exists()


def test_keys_are_for_their_owner_only(folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0


def test_servers_are_named_and_clients_are_not() -> None:
    by_name = {each.name: certificates.extension_file(each) for each in certificates.CERTIFICATES}
    assert "IP:10.96.0.1" in by_name["apiserver"]
    assert "DNS:metrics-server.kube-system.svc" in by_name["metrics-server"]
    assert by_name["admin"] == "extendedKeyUsage=clientAuth\n"

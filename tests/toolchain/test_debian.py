from pathlib import Path

from toolchain import debian


def test_a_package_is_missing_until_its_telling_file_is_there(tmp_path: Path) -> None:
    packages = {"runc": "/usr/sbin/runc", "openssl": "/usr/bin/openssl"}
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/runc").touch()
    assert debian.missing_packages(packages, tmp_path) == ["openssl"]

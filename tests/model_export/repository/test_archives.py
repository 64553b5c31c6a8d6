"""Archives from strangers: what is harmless comes out whole, and everything else is refused before it leaves a trace."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from model_export.errors import DigestMismatchError, ExportError, RepositoryError
from model_export.repository.archives import pack, unpack
from model_export.repository.members import Limits
from tests.model_export.repository.version_folders import contents, make_version


def _tar(folder: Path, archive: Path, mode: str) -> Path:
    with tarfile.open(archive, mode) as target:
        target.add(folder, arcname=".")
    return archive


def _zip(folder: Path, archive: Path, method: int) -> Path:
    with zipfile.ZipFile(archive, "w", method) as target:
        for name in sorted(contents(folder)):
            target.write(folder / name, name)
    return archive


ORDINARY: dict[str, Callable[[Path, Path], Path]] = {
    "tar": lambda folder, place: _tar(folder, place / "v.tar", "w"),
    "tar, gzip": lambda folder, place: _tar(folder, place / "v.tar.gz", "w:gz"),
    "zip, deflated": lambda folder, place: _zip(folder, place / "v.zip", zipfile.ZIP_DEFLATED),
    "zip, stored": lambda folder, place: _zip(folder, place / "v.zip", zipfile.ZIP_STORED),
}


@pytest.mark.parametrize("make", ORDINARY.values(), ids=ORDINARY.keys())
def test_an_ordinary_archive_comes_out_as_it_went_in(
    tmp_path: Path, make: Callable[[Path, Path], Path]
) -> None:
    made = make_version(tmp_path, 3)
    assert contents(unpack(make(made, tmp_path), tmp_path / "out")) == contents(made)


def test_a_packed_version_comes_out_and_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    made = make_version(tmp_path, 3)
    pack(made, tmp_path / "a.zip")
    (made / "saved_model.pb").touch()
    pack(made, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert contents(unpack(tmp_path / "a.zip", tmp_path / "out")) == contents(made)


def test_files_get_our_mode_and_not_the_archives(tmp_path: Path) -> None:
    made = make_version(tmp_path, 3)
    (made / "saved_model.pb").chmod(0o777)
    out = unpack(_tar(made, tmp_path / "v.tar", "w"), tmp_path / "out")
    assert stat.S_IMODE((out / "saved_model.pb").stat().st_mode) == 0o644


def _tar_of(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as target:
        for info, content in members:
            info.size = len(content) if info.isreg() else info.size
            target.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info, b"x" if kind == tarfile.REGTYPE else b""


def _zip_of(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, content in members:
            target.writestr(name, content)
    return buffer.getvalue()


def _zip_info(name: str, mode: int, flag_bits: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr, info.flag_bits = 3, mode << 16, flag_bits
    return info


def _claimed(name: str, size: int) -> bytes:
    """A tar header that claims a size, with nothing behind it."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT) + b"x" * 512


def _pax_header(size: int) -> bytes:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, size
    return info.tobuf(tarfile.USTAR_FORMAT) + b"0" * 1024


def _overlapping_zip() -> bytes:
    """Fifty directory entries over the same packed bytes: each is innocent, together they are a bomb."""
    one = _zip_of(("a000", b"\0" * 3_000_000), method=zipfile.ZIP_DEFLATED)
    directory = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    entry = one[directory:end]
    body, names = one[:directory], []
    for number in range(50):
        names.append(entry.replace(b"a000", b"a%03d" % number))
    entries = b"".join(names)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 50, 50, len(entries), len(body), 0)
    return body + entries + tail


HOSTILE: dict[str, bytes] = {
    "tar: a step out": _tar_of(_member("../evil")),
    "tar: a step out, deep": _tar_of(_member("a/b/../../../evil")),
    "tar: an absolute path": _tar_of(_member("/tmp/evil")),
    "tar: a symbolic link": _tar_of(_member("link", tarfile.SYMTYPE, "/etc/passwd")),
    "tar: a symbolic link, then a file through it": _tar_of(
        _member("d", tarfile.SYMTYPE, "/tmp"), _member("d/evil")
    ),
    "tar: a hard link": _tar_of(_member("link", tarfile.LNKTYPE, "/etc/passwd")),
    "tar: a hard link inside": _tar_of(_member("a"), _member("b", tarfile.LNKTYPE, "a")),
    "tar: a character device": _tar_of(_member("null", tarfile.CHRTYPE)),
    "tar: a block device": _tar_of(_member("sda", tarfile.BLKTYPE)),
    "tar: a named pipe": _tar_of(_member("pipe", tarfile.FIFOTYPE)),
    "tar: a contiguous file of unknown kind": _tar_of(_member("what", b"Z")),
    "tar: a set-user-id file": _tar_of(_member("sh", mode=0o4755)),
    "tar: a name twice": _tar_of(_member("a"), _member("a")),
    "tar: a name twice, once dotted": _tar_of(_member("a"), _member("./a")),
    "tar: names that differ by case": _tar_of(_member("saved_model.pb"), _member("Saved_Model.pb")),
    "tar: a file that is also a folder": _tar_of(_member("a"), _member("a/b")),
    "tar: a folder that is also a file": _tar_of(_member("a", tarfile.DIRTYPE), _member("a")),
    "tar: a line break in a name": _tar_of(_member("a\nb")),
    "tar: a name of 2000 bytes": _tar_of(_member("n" * 2000)),
    "tar: a header of two gigabytes": _pax_header(2 << 30),
    "tar: a file of eight gigabytes, claimed": _claimed("big", 8 << 30),
    "tar: cut short": _tar_of(_member("a"))[:700],
    "tar.gz: a bomb": gzip.compress(_tar_of((tarfile.TarInfo("zeros"), b"\0" * 64_000_000))),
    "tar.gz: cut short": gzip.compress(_tar_of(_member("a")))[:-12],
    "tar.gz: a flipped byte": gzip.compress(b"\0" * 10_240)[:-8] + b"\0" * 8,
    "zip: a step out": _zip_of(("../evil", b"x")),
    "zip: an absolute path": _zip_of(("/tmp/evil", b"x")),
    "zip: a Windows path": _zip_of(("..\\evil", b"x")),
    "zip: a symbolic link": _zip_of((_zip_info("link", stat.S_IFLNK | 0o777), b"/etc/passwd")),
    "zip: a device": _zip_of((_zip_info("null", stat.S_IFCHR | 0o666), b"")),
    "zip: a set-group-id file": _zip_of((_zip_info("sh", stat.S_IFREG | 0o2755), b"x")),
    "zip: names that differ by Unicode form": _zip_of(("caf\u00e9", b"x"), ("cafe\u0301", b"x")),
    "zip: a bomb": _zip_of(("zeros", b"\0" * 64_000_000), method=zipfile.ZIP_DEFLATED),
    "zip: members that share their bytes": _overlapping_zip(),
    "zip: many small bombs": _zip_of(
        *((f"z{n}", b"\0" * 3_000_000) for n in range(40)), method=zipfile.ZIP_DEFLATED
    ),
    "zip: a folder with content": _zip_of(("a/", b"x")),
    "zip: an exotic compression": _zip_of(("a", b"x" * 100), method=zipfile.ZIP_LZMA),
    "zip: cut short": _zip_of(("a", b"x"))[:-10],
    "zip: a flipped byte": _zip_of(("a", b"xyzzy")).replace(b"xyzzy", b"xyzzz"),
    "neither": b"#!/bin/sh\necho hello\n" * 100,
    "nothing": b"",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_archive_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(content)
    before = contents(tmp_path)
    with pytest.raises(RepositoryError, match=r"expected .* received"):
        unpack(archive, tmp_path / "a" / "out")
    assert contents(tmp_path) == before
    assert not (tmp_path / "a" / "out").exists()


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(HOSTILE) >= 30


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_zip_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.zip").write_bytes(_zip_of(("a", b"x"), ("a", b"y")))
    with pytest.raises(RepositoryError, match="stay apart"):
        unpack(tmp_path / "v.zip", tmp_path / "out")


@pytest.mark.parametrize("files", [2, 3, 4])
def test_too_many_files_are_refused_at_the_limit(tmp_path: Path, files: int) -> None:
    made = make_version(tmp_path, 1, files={f"f{number}": b"x" for number in range(files - 1)})
    archive = _zip(made, tmp_path / "v.zip", zipfile.ZIP_STORED)
    if files > 3:
        with pytest.raises(RepositoryError, match="at most 3 files, received 4"):
            unpack(archive, tmp_path / "out", limits=Limits(files=3))
    else:
        unpack(archive, tmp_path / "out", limits=Limits(files=3))


def test_a_file_that_claims_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    content = _zip_of(("a", b"y" * 1000), method=zipfile.ZIP_DEFLATED)
    lied = content.replace(struct.pack("<L", 1000), struct.pack("<L", 10))
    (tmp_path / "v.zip").write_bytes(lied)
    with pytest.raises(RepositoryError):
        unpack(tmp_path / "v.zip", tmp_path / "out")


def test_a_harmless_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.zip").write_bytes(_zip_of(("readme.txt", b"hello")))
    with pytest.raises(ExportError, match="manifest"):
        unpack(tmp_path / "v.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_of_a_damaged_version_is_refused(tmp_path: Path) -> None:
    made = make_version(tmp_path, 1)
    (made / "saved_model.pb").write_bytes(b"a grapi")
    with pytest.raises(DigestMismatchError):
        unpack(_tar(made, tmp_path / "v.tar", "w"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_unpacked_over_something_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    archive = _tar(make_version(tmp_path, 1), tmp_path / "v.tar", "w")
    with pytest.raises(RepositoryError, match="expected room for a new folder"):
        unpack(archive, tmp_path / "out")

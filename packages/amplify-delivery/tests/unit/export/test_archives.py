"""Zips: what is refused, and that size limits hold whatever an archive claims."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from amplify_delivery.export.archives import ArchiveError, entries_digest


def archive(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as zip_file:
        for name, data in entries.items():
            zip_file.writestr(zipfile.ZipInfo(name), data, compression)
    return stream.getvalue()


def test_a_digest_is_of_names_modes_and_contents() -> None:
    digest = entries_digest(archive({"a": b"1", "b": b"2"}))
    assert digest == entries_digest(archive({"b": b"2", "a": b"1"}, zipfile.ZIP_STORED))
    assert digest != entries_digest(archive({"a": b"2", "b": b"1"}))
    assert digest != entries_digest(archive({"a": b"1", "c": b"2"}))
    executable = io.BytesIO()
    with zipfile.ZipFile(executable, "w") as zip_file:
        for name, data in (("a", b"1"), ("b", b"2")):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            zip_file.writestr(info, data)
    assert digest != entries_digest(executable.getvalue())


def test_the_folders_of_an_archive_do_not_count() -> None:
    assert entries_digest(archive({"lib/": b"", "lib/a": b"1"})) == entries_digest(archive({"lib/a": b"1"}))
    with pytest.raises(ArchiveError, match="holds no file"):
        entries_digest(archive({"lib/": b""}))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = archive({"zeros": bytes(2_000_000)})
    assert len(bomb) < 5_000
    with pytest.raises(ArchiveError, match="more than 1,000,000 bytes unzipped"):
        entries_digest(bomb, limit=1_000_000)


def test_the_limit_is_of_all_entries_together() -> None:
    with pytest.raises(ArchiveError, match="more than 1,000,000 bytes"):
        entries_digest(archive({f"zeros{n}": bytes(300_000) for n in range(4)}), limit=1_000_000)


@pytest.mark.parametrize("claimed", [10, 0, 5_000_000])
def test_a_bomb_that_lies_about_its_size_is_refused(claimed: int) -> None:
    data = archive({"zeros": bytes(2_000_000)})
    true = struct.pack("<L", 2_000_000)
    assert data.count(true) == 2
    with pytest.raises(ArchiveError, match=r"bytes unzipped|is not a readable zip"):
        entries_digest(data.replace(true, struct.pack("<L", claimed)), limit=1_000_000)


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({}, "holds no file"),
        ({"../a": b""}, "'../a' leaves the archive"),
        ({"/etc/passwd": b""}, "leaves the archive"),
        ({"\\\\host\\a": b""}, "leaves the archive"),
        ({"a\tb": b""}, "has a control character in its name"),
    ],
)
def test_entries_that_are_refused(entries: dict[str, bytes], says: str) -> None:
    with pytest.raises(ArchiveError, match=says.replace("..", r"\.\.")):
        entries_digest(archive(entries))


def test_one_name_twice_is_refused() -> None:
    data = archive({"aaa.js": b"1", "bbb.js": b"2"}).replace(b"bbb.js", b"aaa.js")
    with pytest.raises(ArchiveError, match="two entries of one name"):
        entries_digest(data)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_lambda_does_not_unpack_is_refused(compression: int) -> None:
    with pytest.raises(ArchiveError, match="neither stored nor deflated"):
        entries_digest(archive({"a": b"x" * 100}, compression))


def test_an_encrypted_entry_is_refused() -> None:
    data = bytearray(archive({"a": b"x" * 100}))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ArchiveError, match="encrypted"):
        entries_digest(bytes(data))


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"x" * 1000])
def test_what_is_no_archive(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        entries_digest(data)


def test_a_flipped_bit_is_found() -> None:
    data = bytearray(archive({"a": bytes(range(256)) * 10}, zipfile.ZIP_STORED))
    data[500] ^= 1
    with pytest.raises(ArchiveError, match="CRC"):
        entries_digest(bytes(data))

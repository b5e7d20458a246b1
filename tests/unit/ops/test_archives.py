import gzip
import io
import random
import tarfile
import zipfile

import pytest

from imgconv.core.expansion import Expansion
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.ops import archives
from imgconv.ops.archives import unpack


def make_zip(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return path


def make_tar(path, entries, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for info, data in entries:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def entry(name, data=b"x", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, data


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_unpack_of_a_tar_gives_its_files(tmp_path, mode):
    path = make_tar(tmp_path / "a.tar", [entry("d/1", b"one"), entry("d/2", b"two")], mode)
    members = unpack(path, tmp_path / "out")
    assert [(m.name, m.path.read_bytes()) for m in members] == [("d/1", b"one"), ("d/2", b"two")]


def test_unpack_of_a_zip_gives_its_files(tmp_path):
    path = make_zip(tmp_path / "a.zip", d__1=b"one", d__2=b"two", e__=b"")
    members = unpack(path, tmp_path / "out")
    assert [m.name for m in members] == ["d/1", "d/2"]


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:/evil"])
def test_unpack_leaves_out_names_that_lead_out(tmp_path, name):
    path = make_tar(tmp_path / "a.tar", [entry(name), entry("good")])
    evil, good = unpack(path, tmp_path / "in" / "out")
    assert evil.path is None
    assert "leads out" in evil.reason
    assert good.path.is_relative_to(tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_unpack_leaves_out_links_and_devices(tmp_path, kind):
    path = make_tar(tmp_path / "a.tar", [entry("x", b"", kind, "/etc/passwd")])
    (member,) = unpack(path, tmp_path / "out")
    assert member.path is None
    assert not (tmp_path / "out").exists()


def test_unpack_keeps_members_of_one_name_apart(tmp_path):
    path = make_tar(tmp_path / "a.tar", [entry("x", b"1"), entry("x", b"2"), entry("X", b"3")])
    members = unpack(path, tmp_path / "out")
    assert [m.path.read_bytes() for m in members] == [b"1", b"2", b"3"]


def test_unpack_of_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ARCHIVE", Expansion(1 << 20, 200))
    path = make_zip(tmp_path / "a.zip", zeros=bytes(8 << 20))
    with pytest.raises(CorruptData, match="more than any scanner") as caught:
        unpack(path, tmp_path / "out")
    assert caught.value.path == path


def test_unpack_of_too_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_MAX_MEMBERS", 3)
    path = make_tar(tmp_path / "a.tar", [entry(f"{n}") for n in range(5)])
    with pytest.raises(CorruptData, match="more than `3` members"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("cut", [20, 200, -30])
def test_unpack_of_a_truncated_archive_is_corrupt(tmp_path, kind, cut):
    data = bytes(range(256)) * 40
    if kind == "zip":
        path = make_zip(tmp_path / "a.zip", x=data)
    else:
        path = make_tar(tmp_path / "a.tar.gz", [entry("x", data)])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CorruptData, match="truncated or damaged"):
        unpack(path, tmp_path / "out")


def test_unpack_of_an_encrypted_member_says_so(tmp_path):
    path = make_zip(tmp_path / "a.zip", x=b"secret")
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    path.write_bytes(bytes(content))
    (member,) = unpack(path, tmp_path / "out")
    assert (member.path, member.reason) == (None, "it is encrypted")


def test_unpack_of_an_unknown_compression_is_not_supported(tmp_path):
    path = make_zip(tmp_path / "a.zip", x=b"data")
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(magic) + offset] = 99
    path.write_bytes(bytes(content))
    with pytest.raises((UnsupportedData, CorruptData)):
        unpack(path, tmp_path / "out")


def test_unpack_of_a_damaged_zip_member_keeps_the_others(tmp_path):
    path = make_zip(tmp_path / "a.zip", one=b"1" * 500, two=bytes(range(256)) * 9, three=b"3")
    data = bytearray(path.read_bytes())
    data[data.index(b"two") + 40] ^= 0xFF
    path.write_bytes(data)
    one, two, three = unpack(path, tmp_path / "out")
    assert (one.path.read_bytes(), three.path.read_bytes()) == (b"1" * 500, b"3")
    assert (two.name, two.path, two.reason) == ("two", None, "it is truncated or damaged")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["one", "three"]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_unpack_of_a_cut_tar_keeps_what_is_before(tmp_path, mode):
    noise = random.Random(0).randbytes
    path = make_tar(
        tmp_path / "a.tar", [entry("one", noise(3000)), entry("two", noise(30_000))], mode
    )
    path.write_bytes(path.read_bytes()[:20_000])
    one, two, rest = unpack(path, tmp_path / "out")
    assert one.path.stat().st_size == 3000
    assert (two.name, two.path, rest.name, rest.path) == ("two", None, "", None)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["one"]


@pytest.mark.parametrize("change", ["header", "cut"])
def test_unpack_does_not_take_a_damaged_header_for_the_end(tmp_path, change):
    path = make_tar(tmp_path / "a.tar", [entry("one", b"1"), entry("two", b"2")], "w")
    data = bytearray(path.read_bytes())
    at = data.index(b"two")
    if change == "cut":
        del data[at + 100 :]
    else:
        data[at + 150] ^= 0xFF
    path.write_bytes(data)
    one, rest = unpack(path, tmp_path / "out")
    assert one.path.read_bytes() == b"1"
    assert (rest.name, rest.path) == ("", None)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_unpack_of_a_header_of_gigabytes_is_refused_before_it_is_read(tmp_path, kind):
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 1 << 30
    path = tmp_path / "a.tar"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    with pytest.raises(CorruptData, match="a header of `1073741824` bytes"):
        unpack(path, tmp_path / "out")


def test_unpack_of_a_bomb_that_would_be_left_out_is_refused_before_it_is_skipped(tmp_path):
    header = tarfile.TarInfo("../x")
    header.size = 1 << 40
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)))
    with pytest.raises(CorruptData, match="more than any scanner"):
        unpack(path, tmp_path / "out")


def test_unpack_of_many_members_of_one_name_takes_no_quadratic_time(tmp_path):
    names: dict[str, int] = {}
    paths = [archives._safe_name("a/B.dcm", names) for _ in range(20_000)]
    assert paths[:3] == ["a/B.dcm", "2/a/B.dcm", "3/a/B.dcm"]
    assert len(set(paths)) == 20_000
    assert archives._safe_name("2/a/b.dcm", names) == "2/2/a/b.dcm"

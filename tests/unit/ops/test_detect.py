import gzip
import zipfile

import pytest

from imgconv.errors import InputError
from imgconv.ops.detect import detect_format, is_archive, read_head


def put(path, data):
    path.write_bytes(data)
    return path


def nifti_head(magic=b"n+1\0"):
    return (348).to_bytes(4, "little") + bytes(340) + magic + bytes(4)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("x.bin", bytes(128) + b"DICM" + bytes(40), "dicom"),
        ("x", nifti_head(), "nifti"),
        ("x", gzip.compress(nifti_head(), mtime=0), "nifti"),
        ("x", nifti_head(b"ni1\0"), "nifti"),
        ("x.txt", b"NRRD0005\n", "nrrd"),
        ("x.dcm", b"\x89PNG\r\n\x1a\n", "png"),
        ("x.txt", b"just text", None),
        ("x.dcm", b"", None),
        ("x.nii", b"not at all", None),
        ("x.gz", b"\x1f\x8bbroken", None),
    ],
)
def test_detect_format_goes_by_content(tmp_path, name, data, expected):
    path = put(tmp_path / name, data)
    spec = detect_format(path, read_head(path))
    assert (spec.name if spec else None) == expected


def test_read_head_of_what_cannot_be_read_names_it(tmp_path):
    with pytest.raises(InputError) as caught:
        read_head(tmp_path / "missing")
    assert caught.value.path == tmp_path / "missing"


def test_is_archive_goes_by_magic_and_by_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        archive.writestr("a", b"b")
    assert is_archive(tmp_path / "x", read_head(tmp_path / "x"))
    assert is_archive(tmp_path / "x.tar.xz", b"\xfd7zXZ")
    assert not is_archive(tmp_path / "x.tar.gz", b"")
    assert not is_archive(tmp_path / "x.nii.gz", b"\x1f\x8b")

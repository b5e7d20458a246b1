import pytest

from imgconv.dicom.bytesource import ByteSource
from imgconv.errors import CorruptData, InputError


def test_read_is_the_same_from_file_and_memory(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    for source in (ByteSource(path), ByteSource(b"0123456789")):
        assert source.size == 10
        assert source.read(3, 4) == b"3456"
        assert source.read(8, 10) == b"89"
        with pytest.raises(CorruptData, match="3 bytes too early"):
            source.read_exactly(8, 5)


def test_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError):
        ByteSource(tmp_path / "none")

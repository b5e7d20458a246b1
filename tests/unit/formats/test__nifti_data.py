import pytest

from imgconv.errors import CorruptData, InputError
from imgconv.formats._nifti_data import NiftiData
from imgconv.formats.nifti_header import NiftiHeader


def put(path, **more):
    header = NiftiHeader(shape=(2, 3, 4), datatype=4, **more)
    path.write_bytes(header.pack() + bytes(48))
    return path


def test_opened_tells_where_the_samples_are(tmp_path):
    with NiftiData.opened(put(tmp_path / "a.b.nii")) as data:
        volumes = data.volumes
    assert (volumes.shape, volumes.start, volumes.count) == ((4, 3, 2), 352, 1)
    assert data.stem == "a.b"
    assert data.paths == (tmp_path / "a.b.nii",)


def test_opened_names_the_file_in_every_error(tmp_path):
    (tmp_path / "x.nii").write_bytes(b"short")
    with pytest.raises(CorruptData) as caught, NiftiData.opened(tmp_path / "x.nii"):
        pass
    assert caught.value.path == tmp_path / "x.nii"


def test_opened_of_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot be read"), NiftiData.opened(tmp_path / "x.nii"):
        pass


def test_opened_of_damaged_gzip_is_corrupt(tmp_path):
    (tmp_path / "x.nii.gz").write_bytes(b"\x1f\x8b\x08\x00nonsense")
    with (
        pytest.raises(CorruptData, match="compressed header"),
        NiftiData.opened(tmp_path / "x.nii.gz"),
    ):
        pass


def test_opened_of_data_without_a_header_says_so(tmp_path):
    (tmp_path / "x.img").write_bytes(bytes(100))
    with pytest.raises(CorruptData, match="hdr"), NiftiData.opened(tmp_path / "x.img"):
        pass

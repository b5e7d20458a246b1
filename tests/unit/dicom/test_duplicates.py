from tests.unit.dicom.files import IMPLICIT, encode, make_slice, write_all

from imgconv.dicom.duplicates import drop_duplicates
from imgconv.dicom.frame_slices import slices_of
from imgconv.dicom.header import read_header


def check(paths):
    kept, problems = drop_duplicates(
        item for path in paths for item in slices_of(read_header(path))
    )
    return [item.header.path.name for item in kept], {p.paths[0].name: p.reason for p in problems}


def test_other_encoding_of_the_same_image_is_a_duplicate(tmp_path):
    dataset = make_slice()
    paths = write_all(tmp_path, [dataset])
    other = tmp_path / "1"
    other.write_bytes(encode(dataset, IMPLICIT))
    assert check([*paths, other]) == (["0000"], {"1": "duplicate"})


def test_other_uid_with_the_same_number_and_pixels_is_a_duplicate(tmp_path):
    assert check(write_all(tmp_path, [make_slice(), make_slice()]))[1] == {"0001": "duplicate"}


def test_without_number_only_the_uid_makes_a_duplicate(tmp_path):
    datasets = [make_slice(), make_slice()]
    for dataset in datasets:
        del dataset.InstanceNumber
    assert check(write_all(tmp_path, datasets))[1] == {}


def test_same_uid_at_another_place_is_kept(tmp_path):
    datasets = [make_slice(0), make_slice(3)]
    datasets[1].SOPInstanceUID = datasets[0].SOPInstanceUID
    assert check(write_all(tmp_path, datasets)) == (["0000", "0001"], {})


def test_duplicate_that_ends_early_fails(tmp_path):
    paths = write_all(tmp_path, [make_slice(), make_slice()])
    paths[1].write_bytes(paths[1].read_bytes()[:-2])
    assert check(paths) == (["0000"], {"0001": "unreadable-pixels"})

import pickle

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from tests.unit.dicom.test_header import BIG, DEFLATED, EXPLICIT, IMPLICIT, encode, make_dataset

from imgconv.dicom.header import HeaderReader, read_header
from imgconv.dicom.layout import Places
from imgconv.errors import InputError


def write(path, change=None, syntax=EXPLICIT, *, undefined=True):
    dataset = make_dataset(undefined=undefined)
    if change is not None:
        change(dataset)
    path.write_bytes(encode(dataset, syntax))
    return path


def values(header):
    return {tag: header.raw(tag) for tag in header.tags()}


def longer(dataset):
    dataset.EchoTime = "12.625"
    dataset.SeriesDescription = "x"
    dataset.ReferencedImageSequence[0].ReferencedFrameNumber = [1, 2, 3]
    dataset.ReferencedImageSequence[0].ConceptNameCodeSequence[0].CodeValue = "abcdef"


def extra(dataset):
    dataset.RepetitionTime = "2000"


def without(dataset):
    del dataset.EchoNumbers


def other_creator(dataset):
    dataset[0x0019, 0x0010].value = "VENDER"


def more_items(dataset):
    dataset.ReferencedImageSequence = Sequence([*dataset.ReferencedImageSequence, Dataset()])
    dataset["ReferencedImageSequence"].is_undefined_length = True


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG])
@pytest.mark.parametrize(
    ("change", "alike"),
    [(longer, True), (extra, False), (without, False), (other_creator, False), (more_items, False)],
)
def test_reader_after_alike_files_gives_what_a_walk_gives(
    tmp_path, change, alike, syntax, undefined
):
    reader = HeaderReader()
    first = [write(tmp_path / str(n), None, syntax, undefined=undefined) for n in range(3)]
    learnt = [reader.read(path) for path in first][-1]
    assert isinstance(learnt._table, Places)

    path = write(tmp_path / "other", change, syntax, undefined=undefined)
    header = reader.read(path)

    walked = read_header(path)
    assert values(header) == values(walked)
    assert header.pixel_data == walked.pixel_data
    if undefined or change is not more_items:
        assert isinstance(header._table, Places) is alike
    assert header.get("EchoTime") == walked.get("EchoTime")
    assert header.private(0x0019, "VENDOR", 0x0C, vr="FD") == walked.private(
        0x0019, "VENDOR", 0x0C, vr="FD"
    )


def test_reader_layout_survives_release_and_pickle(tmp_path):
    reader = HeaderReader()
    paths = [write(tmp_path / str(n), longer if n == 2 else None) for n in range(3)]
    header = [reader.read(path) for path in paths][-1]
    expected = values(read_header(paths[-1]))
    copy = pickle.loads(pickle.dumps(header))
    header.release()
    assert values(header) == expected
    assert values(copy) == expected
    assert values(pickle.loads(pickle.dumps(header))) == expected


def test_reader_signedness_is_not_remembered_across_files(tmp_path):
    def unsigned(dataset):
        dataset.PixelRepresentation = 0
        del dataset.SmallestImagePixelValue
        dataset.add_new("SmallestImagePixelValue", "US", 0xFFFB)

    reader = HeaderReader()
    for n in range(3):
        reader.read(write(tmp_path / str(n), None, IMPLICIT)).get("SmallestImagePixelValue")
    header = reader.read(write(tmp_path / "u", unsigned, IMPLICIT))
    assert isinstance(header._table, Places)
    assert header.get("SmallestImagePixelValue") == 0xFFFB


def test_reader_learns_series_whose_files_alternate(tmp_path):
    reader = HeaderReader()
    headers = [
        reader.read(write(tmp_path / str(n), [None, extra, without][n % 3])) for n in range(12)
    ]
    assert all(isinstance(header._table, Places) for header in headers[6:])


def test_reader_private_value_depends_on_the_vr_that_is_asked_for(tmp_path):
    reader = HeaderReader()
    header = [reader.read(write(tmp_path / str(n), None, IMPLICIT)) for n in range(3)][-1]
    assert isinstance(header._table, Places)
    assert header.private(0x0019, "VENDOR", 0x0C, vr="FD") == 1000.0
    assert header.private(0x0019, "VENDOR", 0x0C, vr="US") == (0, 0, 16384, 16527)


def test_reader_deflated_files_are_walked(tmp_path):
    reader = HeaderReader()
    for n in range(3):
        header = reader.read(write(tmp_path / str(n), None, DEFLATED))
    assert header.get("EchoTime") == 2.5


def test_reader_mutated_files_never_differ_from_a_walk(tmp_path):
    reader = HeaderReader()
    whole = write(tmp_path / "0").read_bytes()
    for n in range(2):
        reader.read(write(tmp_path / str(n)))
    random = np.random.default_rng(5)
    path = tmp_path / "mutated"
    for _ in range(300):
        mutated = bytearray(whole)
        for place in random.integers(132, len(whole), 2):
            mutated[place] = random.integers(0, 256)
        path.write_bytes(mutated)
        outcome = []
        for read in (reader.read, read_header):
            try:
                header = read(path)
                outcome.append((values(header), header.pixel_data))
            except InputError as error:
                outcome.append(str(error))
        assert outcome[0] == outcome[1]

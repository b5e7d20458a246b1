import pytest

from imgconv.standard.iods import find_iod, find_multiplicity, is_retired, load_tables


def test_find_iod_of_ct_image():
    assert find_iod("1.2.840.10008.5.1.4.1.1.2") == "ct-image"
    assert find_iod("1.2.3") is None


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (0x00280010, (1, 1, 1)),  # Rows: 1
        (0x00280030, (2, 2, 1)),  # Pixel Spacing: 2
        (0x00080008, (2, 1 << 30, 1)),  # Image Type: 2-n
        (0x30060050, (3, 1 << 30, 3)),  # Contour Data: 3-3n
    ],
)
def test_find_multiplicity(tag, expected):
    assert find_multiplicity(tag) == expected


def test_is_retired():
    assert is_retired(0x00324000)
    assert not is_retired(0x00280010)


def test_every_iod_names_modules_that_exist():
    tables = load_tables()
    missing = set()
    for iod in tables["iod"].values():
        for row in iod["modules"]:
            assert row[1] in ("M", "C", "U")
            if row[0] not in tables["module"]:
                missing.add(row[0])
    # The structure's source names some modules of video and waveforms without a table.
    words = ("waveform", "real-time", "montage", "rotation", "video", "activation")
    assert all(any(word in name for word in words) for name in missing)


def test_every_table_is_well_formed():
    tables = load_tables()["set"]
    for table in tables:
        for tag, row in table.items():
            assert len(tag) == 8
            assert row[0] in ("1", "1C", "2", "2C", "3")
            if len(row) > 1 and "s" in row[1]:
                assert 0 <= row[1]["s"] < len(tables)

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.unit.dicom.files import BIG, DEFLATED, EXPLICIT, IMPLICIT, make_slice, write_all

from imgconv.core.lazy_volume import LazyVolume
from imgconv.core.options import ReadOptions, Tilt
from imgconv.dicom.header import read_header
from imgconv.dicom.plan import Outcome
from imgconv.dicom.reader import load, read_headers, read_images
from imgconv.dicom.series import plan_series
from imgconv.errors import CorruptData, UnknownFormat, UnsupportedData


def load_one(paths, options=None):
    (series,) = plan_series([read_header(path) for path in paths])
    (volume,) = series.volumes
    return load(volume, options)


def set_pixels(dataset, array, bits_stored=None):
    dataset.Rows, dataset.Columns = array.shape[-2:] if array.ndim < 3 else array.shape[:2]
    dataset.BitsAllocated = array.dtype.itemsize * 8
    dataset.BitsStored = bits_stored or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    dataset.PixelData = array.tobytes()
    dataset["PixelData"].VR = "OB" if array.dtype.itemsize == 1 else "OW"
    return dataset


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG])
def test_load_gives_stored_samples_in_every_encoding(tmp_path, syntax):
    datasets = [make_slice(3 * k, k + 1) for k in (1, 0)]
    if syntax == BIG:
        for dataset in datasets:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    image = load_one(write_all(tmp_path, datasets, syntax))
    assert image.axes == "kji"
    assert image.array.dtype == np.uint16
    assert image.array.shape == (2, 4, 3)
    assert image.array.flags.writeable
    np.testing.assert_array_equal(image.array[:, 0, 0], [100, 200])
    np.testing.assert_array_equal(image.array[0].ravel(), 100 + np.arange(12))


def test_load_series_is_lazy_and_repeatable(tmp_path):
    datasets = [make_slice(3 * k, 2 * t + k + 1) for t in range(3) for k in range(2)]
    image = load_one(write_all(tmp_path, datasets))
    assert image.axes == "tkji"
    assert [volume[0, 0, 0] for volume in image.iter_volumes()] == [100, 300, 500]
    assert image.array.volume(1)[1, 0, 0] == 400
    assert image.array.volume(1)[1, 0, 0] == 400


@pytest.mark.parametrize("kind", ["i2", "u2", "i4", "u4", "u1", "i1"])
def test_load_keeps_the_stored_type(tmp_path, kind):
    array = np.arange(12).reshape(4, 3).astype(kind)
    array[0, 0] = np.iinfo(kind).min
    array[0, 1] = np.iinfo(kind).max
    image = load_one(write_all(tmp_path, [set_pixels(make_slice(), array)]))
    assert image.array.dtype == np.dtype(kind)
    np.testing.assert_array_equal(image.array[0], array)


@pytest.mark.parametrize("signed", [False, True])
def test_load_masks_unused_high_bits(tmp_path, signed):
    values = np.array([[1, 2047, 5], [0, 3, 4], [7, 8, 9], [1, 1, 1]], np.int16)
    if signed:
        values[1] = [-2048, -1, -3]
    stored = (values & 0x0FFF) | 0x5000
    array = stored.astype(np.int16 if signed else np.uint16)
    image = load_one(write_all(tmp_path, [set_pixels(make_slice(), array, bits_stored=12)]))
    np.testing.assert_array_equal(image.array[0], values)
    assert image.values.bits_stored == 12


@pytest.mark.parametrize(
    ("keyword", "kind"), [("FloatPixelData", "f4"), ("DoubleFloatPixelData", "f8")]
)
def test_load_float_pixels(tmp_path, keyword, kind):
    dataset = make_slice()
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.BitsAllocated = 8 * np.dtype(kind).itemsize
    array = np.linspace(-1, 1, 12, dtype=kind)
    setattr(dataset, keyword, array.tobytes())
    image = load_one(write_all(tmp_path, [dataset]))
    assert image.array.dtype == np.dtype(kind)
    np.testing.assert_array_equal(image.array.ravel(), array)
    assert image.values.bits_stored is None


def test_load_common_rescale_is_told_not_applied(tmp_path):
    datasets = [make_slice(3 * k, k, RescaleSlope=2, RescaleIntercept=-1024) for k in range(2)]
    image = load_one(write_all(tmp_path, datasets))
    assert image.array.dtype == np.uint16
    assert (image.values.rescale.slope, image.values.rescale.intercept) == (2, -1024)


def test_load_differing_rescale_is_applied_per_slice(tmp_path):
    datasets = [make_slice(3 * k, 1, RescaleSlope=k + 0.5, RescaleIntercept=k) for k in range(2)]
    image = load_one(write_all(tmp_path, datasets))
    assert image.array.dtype == np.float32
    np.testing.assert_array_equal(image.array[:, 0, 1], [101 * 0.5, 101 * 1.5 + 1])
    assert image.values.rescale.is_identity


def test_load_philips_values_are_precise_and_display_is_kept(tmp_path):
    dataset = make_slice(0, 1, Manufacturer="Philips", RescaleSlope=4, RescaleIntercept=-8)
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "FL", 0.5)
    image = load_one(write_all(tmp_path, [dataset]))
    # (SV * RS + RI) / (RS * SS)
    assert (image.values.rescale.slope, image.values.rescale.intercept) == (2, -4)
    ((name, display),) = image.values.alternatives
    assert (name, display.slope, display.intercept) == ("display", 4, -8)


def test_load_modality_table_is_applied(tmp_path):
    table = Dataset()
    table.LUTDescriptor = [4, 1, 16]
    table.LUTData = np.array([10, 20, 30, 1000], "<u2").tobytes()
    table["LUTData"].VR = "OW"
    table.ModalityLUTType = "US"
    dataset = set_pixels(make_slice(), np.array([[0, 1, 2], [3, 4, 5]], np.uint16))
    dataset.ModalityLUTSequence = [table]
    image = load_one(write_all(tmp_path, [dataset]))
    np.testing.assert_array_equal(image.array[0], [[10, 10, 20], [30, 1000, 1000]])


def test_load_monochrome1_stays_as_it_is(tmp_path):
    dataset = make_slice(PhotometricInterpretation="MONOCHROME1")
    image = load_one(write_all(tmp_path, [dataset]))
    assert image.values.photometric == "MONOCHROME1"
    assert image.array[0, 0, 0] == 100


def test_load_padding_is_told(tmp_path):
    dataset = make_slice(PixelPaddingValue=5, PixelPaddingRangeLimit=2)
    assert load_one(write_all(tmp_path, [dataset])).values.padding == (2, 5)


def colour(photometric, pixels):
    dataset = make_slice(SamplesPerPixel=3, PhotometricInterpretation=photometric)
    dataset.PlanarConfiguration = 0
    set_pixels(dataset, pixels)
    return dataset


def test_load_rgb(tmp_path):
    pixels = np.arange(36, dtype=np.uint8).reshape(4, 3, 3)
    image = load_one(write_all(tmp_path, [colour("RGB", pixels)]))
    assert image.axes == "kjic"
    assert image.values.photometric == "RGB"
    np.testing.assert_array_equal(image.array[0], pixels)


def test_load_ybr_becomes_rgb(tmp_path):
    pixels = np.full((4, 3, 3), 128, np.uint8)
    pixels[0, 0] = [76, 85, 255]  # red
    image = load_one(write_all(tmp_path, [colour("YBR_FULL", pixels)]))
    assert image.values.photometric == "RGB"
    np.testing.assert_allclose(image.array[0, 0, 0], [254, 0, 0], atol=1)
    np.testing.assert_array_equal(image.array[0, 1, 1], [128, 128, 128])


def test_load_palette_becomes_rgb(tmp_path):
    dataset = set_pixels(make_slice(), np.array([[0, 1], [2, 3]], np.uint8))
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for n, name in enumerate(("Red", "Green", "Blue")):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [3, 1, 16])
        values = (np.array([1, 2, 3]) + 10 * n) << 8
        setattr(dataset, f"{name}PaletteColorLookupTableData", values.astype("<u2").tobytes())
    image = load_one(write_all(tmp_path, [dataset]))
    assert image.array.dtype == np.uint8
    np.testing.assert_array_equal(
        image.array[0], [[[1, 11, 21], [1, 11, 21]], [[2, 12, 22], [3, 13, 23]]]
    )


def test_load_too_large_volume_is_refused(tmp_path):
    with pytest.raises(UnsupportedData, match="24"):
        load_one(write_all(tmp_path, [make_slice()]), ReadOptions(max_bytes=23))


def test_load_file_that_shrank_is_corrupt(tmp_path):
    paths = write_all(tmp_path, [make_slice(0, 1), make_slice(3, 2)])
    (series,) = plan_series([read_header(path) for path in paths])
    paths[1].write_bytes(paths[1].read_bytes()[:-10])
    with pytest.raises(CorruptData) as caught:
        load(series.volumes[0])
    assert caught.value.path == paths[1]


def test_load_lazy_reads_native_slices_when_asked(tmp_path):
    paths = write_all(tmp_path, [make_slice(3 * k, k) for k in range(5)])
    whole = load_one(paths).array
    lazy = load_one(paths, ReadOptions(lazy=True)).array
    assert isinstance(lazy, LazyVolume)
    assert np.array_equal(lazy.slab(1, 4), whole[1:4])
    paths[2].write_bytes(paths[2].read_bytes()[:-2])
    assert np.array_equal(lazy.slab(0, 2), whole[:2])
    with pytest.raises(CorruptData) as caught:
        lazy.slab(2, 3)
    assert caught.value.path == paths[2]


def test_load_lazy_decodes_at_once_what_is_not_in_the_file_as_it_is(tmp_path):
    paths = write_all(tmp_path, [make_slice(3 * k, k) for k in range(2)], syntax=BIG)
    assert isinstance(load_one(paths, ReadOptions(lazy=True)).array, np.ndarray)


def test_load_metadata_holds_what_is_shared_and_not_applied(tmp_path):
    datasets = [
        make_slice(3 * k, 2 * t + k, TriggerTime=100.0 * t, PatientID="p", FlipAngle=9)
        for t in range(2)
        for k in range(2)
    ]
    image = load_one(write_all(tmp_path, datasets))
    shared = image.metadata.shared
    assert shared["PatientID"] == "p"
    assert shared["FlipAngle"] == 9
    for keyword in ("ImagePositionPatient", "PixelSpacing", "InstanceNumber", "SOPInstanceUID"):
        assert keyword not in shared
    assert image.metadata.per_volume["TriggerTime"] == (0, 100)
    assert "TriggerTime" not in shared
    assert [source.sop_instance_uid for source in image.sources] == [
        dataset.SOPInstanceUID for dataset in datasets
    ]
    assert image.name == "7"


def test_load_tilt_is_kept_or_resampled(tmp_path):
    orientation = [1, 0, 0, 0, 0.8, -0.6]
    datasets = [make_slice(3 * k, k, ImageOrientationPatient=orientation) for k in range(3)]
    paths = write_all(tmp_path, datasets)
    assert not load_one(paths).geometry.is_orthogonal
    image = load_one(paths, ReadOptions(tilt=Tilt.RESAMPLE))
    assert image.geometry.is_orthogonal
    assert image.array.shape[1] > 4


def test_load_gives_the_memory_of_headers_back(tmp_path):
    (series,) = plan_series([read_header(path) for path in write_all(tmp_path, [make_slice()])])
    load(series.volumes[0])
    assert series.volumes[0].header._buffer is None


def test_load_without_geometry_keeps_the_spacing(tmp_path):
    dataset = make_slice()
    del dataset.ImagePositionPatient
    image = load_one(write_all(tmp_path, [dataset]))
    assert image.geometry is None
    assert image.metadata.shared["PixelSpacing"] == (2, 1.5)


def test_read_headers_tells_what_is_no_dicom(tmp_path):
    text = tmp_path / "text"
    text.write_text("no image at all, only words" * 10)
    broken = tmp_path / "broken"
    broken.write_bytes(b"\0" * 128 + b"DICM\2\0\0\0UL\4")
    headers, problems = read_headers([text, broken, *write_all(tmp_path, [make_slice()])])
    assert len(headers) == 1
    assert [problem.outcome for problem in problems] == [Outcome.SKIPPED, Outcome.FAILED]


def test_read_images_yields_the_good_ones_then_raises(tmp_path):
    paths = write_all(tmp_path, [make_slice(), make_slice(SeriesInstanceUID="1.5")])
    paths[1].write_bytes(paths[1].read_bytes()[:-4])
    images = read_images(paths)
    assert next(images).array.shape == (1, 4, 3)
    with pytest.raises(CorruptData):
        next(images)


def test_read_images_of_no_dicom_raises(tmp_path):
    path = tmp_path / "text"
    path.write_text("words")
    with pytest.raises(UnknownFormat):
        next(read_images(path))
    with pytest.raises(UnknownFormat):
        next(read_images([]))


def mosaic(**attributes):
    """Return a mosaic of 3 tiles of 2 x 2, tile n full of n + 1, the last place empty."""
    tiles = np.zeros((4, 4), np.uint16)
    for n, (row, column) in enumerate([(0, 0), (0, 2), (2, 0)]):
        tiles[row : row + 2, column : column + 2] = n + 1
    dataset = set_pixels(make_slice(0, **attributes), tiles)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    dataset.Manufacturer = "SIEMENS"
    dataset.SpacingBetweenSlices = 4
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", 3)
    return dataset


def test_load_mosaic_is_cut_into_slices(tmp_path):
    datasets = [mosaic(number=n) for n in (1, 2)]
    image = load_one(write_all(tmp_path, datasets))
    assert image.array.shape == (2, 3, 2, 2)
    np.testing.assert_array_equal(image.array.volume(1)[:, 0, 0], [1, 2, 3])
    # The position is the corner of the whole mosaic as if it were one slice.
    np.testing.assert_allclose(image.geometry.origin, [-10 + 1.5, -20 + 2, 0])
    assert image.geometry.spacing == (1.5, 2, 4)


def test_load_mosaic_that_does_not_fit_is_refused(tmp_path):
    dataset = mosaic()
    dataset.private_block(0x0019, "SIEMENS MR HEADER").add_new(0x0B, "US", 1)
    dataset[0x0019, 0x100A].value = 17
    (series,) = plan_series([read_header(path) for path in write_all(tmp_path, [dataset])])
    assert series.problems[0].error.path is not None
    assert "cannot be 5 x 5 tiles" in series.problems[0].message

"""CT, MR and PET: what each adds to a series."""

from __future__ import annotations

import pytest
from tests.unit.dicom.sops.writing import datasets, errors_of, image, options

from imgconv.core.metadata import Metadata
from imgconv.core.values import ValueMap
from imgconv.dicom.writer import check, write
from imgconv.errors import UnsupportedData


def test_diffusion_stands_in_each_slice(tmp_path):
    gradients = {
        "DiffusionBValue": (0.0, 1000.0),
        "DiffusionGradientOrientation": (None, (0.0, 0.6, 0.8)),
    }
    source = image(shape=(2, 1, 4, 5), axes="tkji", metadata=Metadata(per_volume=gradients))
    paths = write(source, tmp_path / "a.dcm", options("mr"))
    first, last = datasets(paths)
    assert (first.DiffusionBValue, "DiffusionGradientOrientation" in first) == (0, False)
    assert list(last.DiffusionGradientOrientation) == [0, 0.6, 0.8]
    assert errors_of(*paths) == []


def test_values_per_slice_are_written_where_the_object_knows_them(tmp_path):
    per_slice = {"TriggerTime": ((1.0, 2.0, 3.0),), "KVP": ((1.0, 2.0, 3.0),)}
    gated = {"ScanOptions": "CG"}  # without it the standard has no Trigger Time
    source = image(metadata=Metadata(shared=gated, per_slice=per_slice))
    found = datasets(write(source, tmp_path / "a.dcm", options("mr")))
    assert [d.TriggerTime for d in found] == [1, 2, 3]
    assert not any("KVP" in d for d in found)


def test_dynamic_pet_has_times_and_indices(tmp_path):
    bids = {
        "Units": "Bq/mL",
        "FrameTimesStart": [0, 60],
        "FrameDuration": [60, 120],
        "TracerName": "FDG",
        "RadionuclideHalfLife": 6586.2,
    }
    source = image(shape=(2, 2, 4, 5), axes="tkji", metadata=Metadata(bids=bids))
    paths = write(source, tmp_path / "a.dcm", options("pet"))
    found = datasets(paths)
    assert [d.ImageIndex for d in found] == [1, 2, 3, 4]
    assert [d.FrameReferenceTime for d in found] == [0, 0, 60000, 60000]
    assert {d.Units for d in found} == {"BQML"}
    tracer = found[0].RadiopharmaceuticalInformationSequence[0]
    assert (tracer.Radiopharmaceutical, tracer.RadionuclideHalfLife) == ("FDG", 6586.2)
    assert errors_of(*paths) == []


def test_pet_without_a_unit_is_told():
    assert [loss.name for loss in check(image(), options("pet"))] == ["unknown-unit"]
    assert check(image(), options("pet", Units="BQML")) == ()


@pytest.mark.parametrize("name", ["ct", "mr"])
def test_inverted_grayscale_is_kept(tmp_path, name):
    source = image(values=ValueMap(photometric="MONOCHROME1"))
    found = datasets(write(source, tmp_path / "a.dcm", options(name)))
    assert {d.PhotometricInterpretation for d in found} == {"MONOCHROME1"}
    with pytest.raises(UnsupportedData):
        check(source, options("pet"))


def test_ct_states_hounsfield_units_only_if_they_may_be(tmp_path):
    for unit, expected in (("", "HU"), ("[hnsf'U]", "HU"), ("mg/ml", "US")):
        source = image(values=ValueMap(unit=unit))
        found = datasets(write(source, tmp_path / f"{expected}{unit[:2]}.dcm", options("ct")))
        assert found[0].RescaleType == expected


def test_padding_keeps_its_sign(tmp_path):
    source = image(values=ValueMap(padding=(-2000.0, -1000.0)))
    paths = write(source, tmp_path / "a.dcm", options("ct"))
    (first, *_) = datasets(paths)
    assert (first.PixelPaddingValue, first.PixelPaddingRangeLimit) == (-2000, -1000)
    assert errors_of(*paths) == []


def test_reference_is_named_slice_by_slice(tmp_path):
    first = write(image(), tmp_path / "a.dcm", options("mr", PatientID="1", StudyID="1"))
    paths = write(image(), tmp_path / "b.dcm", options("mr", reference=[tmp_path / "a"]))
    named = [d.SourceImageSequence[0].ReferencedSOPInstanceUID for d in datasets(paths)]
    assert named == [d.SOPInstanceUID for d in datasets(first)]
    assert errors_of(*first, *paths) == []

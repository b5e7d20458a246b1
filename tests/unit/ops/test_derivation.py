from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence

from imgconv.dicom.tree_reader import read_tree
from imgconv.ops.derivation import derive_attributes
from imgconv.rules.plan import find_plan
from imgconv.standard.iods import find_iod

FILES = {"ct": "CT_small.dcm", "mr": "MR_small.dcm", "sc": "SC_rgb_small_odd.dcm"}


def derive(kind, change, *, is_stack=False):
    dataset = pydicom.dcmread(get_testdata_file(FILES[kind]))
    change(dataset)
    buffer = BytesIO()
    dataset.save_as(buffer)
    tree = read_tree(Path("x.dcm"), buffer.getvalue())
    plan = find_plan(find_iod(tree.dataset.text(0x00080016)))
    return tree.dataset, derive_attributes(tree, plan, is_stack=is_stack)


def with_values(**values):
    def change(dataset):
        for keyword, value in values.items():
            if value is None:
                del dataset[keyword]
            else:
                setattr(dataset, keyword, value)

    return change


def tags(changes):
    return {change.tag for change in changes if change.is_done}


@pytest.mark.parametrize(
    ("kind", "values", "tag"),
    [
        ("mr", {"ScanningSequence": "SE", "InversionTime": 0}, "(0018,0082)"),
        ("mr", {"ScanOptions": "FC", "TriggerTime": 12}, "(0018,1060)"),
        ("mr", {"VelocityEncodingDirection": [0.0, 0.0, 0.0]}, "(0018,9090)"),
        ("ct", {"WindowCenter": 40, "WindowWidth": 0}, "(0028,1051)"),
        ("ct", {"WindowCenter": 40}, "(0028,1050)"),
        ("ct", {"WindowCenter": 40, "WindowCenterWidthExplanation": "LUNG"}, "(0028,1055)"),
        ("ct", {"WindowWidth": 40}, "(0028,1051)"),
        ("sc", {"Modality": ""}, "(0008,0060)"),
        ("ct", {"ProcedureCodeSequence": Sequence()}, "(0008,1032)"),
        ("ct", {"BodyPartExamined": "CHEST"}, "(0020,0060)"),
    ],
)
def test_derive_attributes_what_is_excluded_goes(kind, values, tag):
    root, changes = derive(kind, with_values(**values))
    assert tag in tags(changes)
    assert int(tag[1:5] + tag[6:10], 16) not in root.elements


@pytest.mark.parametrize(
    ("kind", "values", "tag"),
    [
        ("mr", {"ScanningSequence": ["GR", "IR"], "InversionTime": 800}, 0x00180082),
        ("mr", {"ScanOptions": ["FC", "CG"], "TriggerTime": 12}, 0x00181060),
        ("ct", {"WindowCenter": 40, "WindowWidth": 400}, 0x00281051),
    ],
)
def test_derive_attributes_what_is_prompted_stays(kind, values, tag):
    root, changes = derive(kind, with_values(**values))
    assert tag in root.elements
    assert all(change.original_tag != tag for change in changes)


@pytest.mark.parametrize(
    ("kind", "gone", "tag", "text"),
    [
        ("ct", "Modality", 0x00080060, "CT"),
        ("ct", "FrameOfReferenceUID", 0x00200052, None),
        ("ct", "Laterality", 0x00200060, ""),
        ("sc", "PatientOrientation", 0x00200020, ""),
    ],
)
def test_derive_attributes_what_follows_is_added(kind, gone, tag, text):
    def change(dataset):
        dataset.pop(gone, None)

    root, _ = derive(kind, change)
    assert tag in root.elements
    if text is None:
        assert root.text(tag).startswith("2.25.")
    else:
        assert root.text(tag) == text


@pytest.mark.parametrize(
    ("is_stack", "orientation", "is_axial"),
    [
        (True, [1, 0, 0, 0, 0, -1], True),
        (False, [1, 0, 0, 0, 0, -1], False),
        (False, [1, 0, 0, 0, 0.9, -0.43], True),
        (False, [1, 0], False),
    ],
)
def test_derive_attributes_axial_is_said_of_cross_sections_only(is_stack, orientation, is_axial):
    values = {"ImageType": ["ORIGINAL", "PRIMARY"], "ImageOrientationPatient": orientation}
    root, changes = derive("ct", with_values(**values), is_stack=is_stack)
    assert (root.texts(0x00080008)[2:] == ("AXIAL",)) is is_axial
    assert is_axial or any(not change.is_done for change in changes)


@pytest.mark.parametrize(
    ("values", "is_plain"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY"]}, True),
        ({"ImageType": ["ORIGINAL", "PRIMARY"], "ComplexImageComponent": "PHASE"}, False),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, False),
    ],
)
def test_derive_attributes_mr_image_as_acquired_is_nothing_else(values, is_plain):
    root, _ = derive("mr", with_values(**values))
    assert (root.texts(0x00080008)[2:] == ("OTHER",)) is is_plain


@pytest.mark.parametrize(
    ("kind", "image_type"),
    [
        ("ct", ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        ("mr", ["ORIGINAL", "PRIMARY", "M"]),
        ("ct", ["ORIGINAL"]),
    ],
)
def test_derive_attributes_other_image_types_stay(kind, image_type):
    change = with_values(ImageType=image_type)
    root, changes = derive(kind, change, is_stack=True)
    assert root.texts(0x00080008) == tuple(image_type)
    assert 0x00080008 not in {change.tag for change in changes}


def test_derive_attributes_position_of_a_capture_gets_a_frame_of_reference():
    root, changes = derive("sc", with_values(ImagePositionPatient=[0, 0, 0]))

    assert "(0020,0052)" in tags(changes)
    assert root.text(0x00200052).startswith("2.25.")


def test_derive_attributes_capture_without_a_position_gets_none():
    root, _ = derive("sc", with_values(ImageComments="x"))

    assert 0x00200052 not in root.elements


def test_derive_attributes_empty_anatomic_region_says_what_body_part_examined_says():
    values = {"AnatomicRegionSequence": Sequence(), "BodyPartExamined": "KNEE"}

    root, changes = derive("ct", with_values(**values))

    assert "(0008,2218)" in tags(changes)
    assert root.items_of(0x00082218)[0].text(0x00080100) == "72696002"


def test_derive_attributes_laterality_that_image_laterality_repeats_goes():
    root, changes = derive("ct", with_values(Laterality="R", ImageLaterality="R"))
    assert "(0020,0060)" in tags(changes)
    assert 0x00200060 not in root.elements

    root, _ = derive("ct", with_values(Laterality="R", ImageLaterality="L"))
    assert root.text(0x00200060) == "R"


@pytest.mark.parametrize(
    ("sop_class", "added"),
    [
        ("1.2.840.10008.5.1.4.1.1.9.1.1", False),  # 12-lead ECG
        ("1.2.840.10008.5.1.4.1.1.11.1", False),  # presentation state
        ("1.2.840.10008.5.1.4.1.1.30", True),  # parametric map
    ],
)
def test_derive_attributes_only_images_get_a_laterality(sop_class, added):
    def change(dataset):
        del dataset.Laterality
        dataset.SOPClassUID = sop_class

    root, _ = derive("ct", change)
    assert (0x00200060 in root.elements) is added


@pytest.mark.parametrize(("copies", "count"), [(1, "1"), (3, "3")])
def test_derive_attributes_number_of_frames_is_counted_where_it_is_required(copies, count):
    def change(dataset):
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"
        dataset.PixelData *= copies

    root, changes = derive("ct", change)

    assert "(0028,0008)" in tags(changes)
    assert root.text(0x00280008) == count


def test_derive_attributes_number_of_frames_is_not_guessed():
    def change(dataset):
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"
        dataset.PixelData += bytes(100)

    root, _ = derive("ct", change)

    assert 0x00280008 not in root.elements


def test_derive_attributes_function_of_no_window_goes():
    def change(dataset):
        for keyword in ("WindowCenter", "WindowWidth"):
            dataset.pop(keyword, None)
        dataset.VOILUTFunction = "SIGMOID"

    root, changes = derive("ct", change)
    assert "(0028,1056)" in tags(changes)
    assert 0x00281056 not in root.elements


@pytest.mark.parametrize(("sop_class", "stays"), [("6.1", False), ("3.1", True), ("2", True)])
def test_derive_attributes_count_of_one_frame_goes_where_it_asks_for_an_increment(sop_class, stays):
    def change(dataset):
        dataset.NumberOfFrames = 1
        dataset.SOPClassUID = f"1.2.840.10008.5.1.4.1.1.{sop_class}"

    root, _ = derive("ct", change)
    assert (0x00280008 in root.elements) is stays

import pytest

from imgconv.dicom.diffusion import (
    Gradient,
    find_gradient,
    find_gradient_losses,
    find_gradients,
)
from imgconv.dicom.vendors.facts import Acquisition

PARM = "GEMS_PARM_01"
ACQ = "GEMS_ACQU_01"
AXIAL = [1, 0, 0, 0, 1, 0]
CORONAL = [1, 0, 0, 0, 0, -1]
SAGITTAL = [0, 1, 0, 0, 0, -1]


def test_standard_attributes_are_in_patient_axes(facts_of):
    facts = facts_of({"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": [0.0, 3.0, 4.0]})
    assert find_gradient(facts) == Gradient(1000.0, pytest.approx((0.0, 0.6, 0.8)))


def test_no_b_value_is_no_gradient(facts_of):
    assert find_gradient(facts_of({"Manufacturer": "SIEMENS"})) is None
    assert find_gradient(facts_of({"DiffusionBValue": -1.0})) is None
    assert find_gradient(facts_of({"DiffusionBValue": 7.23e75})) is None  # not initialised


@pytest.mark.parametrize(
    "attributes",
    [
        {"DiffusionBValue": 0.0, "DiffusionGradientOrientation": [0.0, 0.0, 1.0]},
        {"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": [0.0, 0.0, 0.0]},
        {
            "DiffusionBValue": 1000.0,
            "DiffusionGradientOrientation": [0.0, 0.0, 1.0],
            "DiffusionDirectionality": "ISOTROPIC",
        },
    ],
)
def test_no_direction_for_b0_and_averages(facts_of, attributes):
    gradient = find_gradient(facts_of(attributes))
    assert gradient is not None
    assert gradient.direction is None


def test_siemens_private_attributes(facts_of):
    private = {
        (0x19, "SIEMENS MR HEADER", 0x0C, "IS"): "1000",
        (0x19, "SIEMENS MR HEADER", 0x0E, "FD"): [0.0, 0.6, -0.8],
    }
    facts = facts_of({"Manufacturer": "SIEMENS"}, private)
    assert find_gradient(facts) == Gradient(1000.0, pytest.approx((0.0, 0.6, -0.8)))


def test_philips_private_attributes_fill_in(facts_of):
    private = {
        (0x2001, "Philips Imaging DD 001", 0x03, "FL"): 800.0,
        (0x2005, "Philips MR Imaging DD 001", 0xB0, "FL"): 1.0,
        (0x2005, "Philips MR Imaging DD 001", 0xB1, "FL"): 0.0,
        (0x2005, "Philips MR Imaging DD 001", 0xB2, "FL"): 0.0,
    }
    facts = facts_of({"Manufacturer": "Philips Medical Systems"}, private)
    assert find_gradient(facts) == Gradient(800.0, (1.0, 0.0, 0.0))


def test_uih_vectors_are_in_image_axes(facts_of):
    private = {
        (0x65, "Image Private Header", 0x09, "FD"): 950.0,
        (0x65, "Image Private Header", 0x37, "FD"): [0.6, 0.8, 0.0],
    }
    facts = facts_of({"Manufacturer": "UIH", "ImageOrientationPatient": CORONAL}, private)
    assert find_gradient(facts) == Gradient(950.0, pytest.approx((0.6, 0.0, -0.8)))


@pytest.mark.parametrize(("phase", "lps"), [("COL", (-0.6, 0.0, 0.8)), ("ROW", (0.0, 0.6, 0.8))])
def test_canon_comments_depend_on_phase_encoding(facts_of, phase, lps):
    facts = facts_of(
        {
            "Manufacturer": "CANON_MEC",
            "ImageComments": "b=1500(0.0,0.6,0.8)",
            "ImageOrientationPatient": AXIAL,
            "InPlanePhaseEncodingDirection": phase,
        }
    )
    assert find_gradient(facts) == Gradient(1500.0, pytest.approx(lps))


def ge(facts_of, vector, orientation, phase="COL", b="1000"):
    private = {(0x43, PARM, 0x39, "IS"): [b, "8", "0", "0"]}
    for element, part in zip((0xBB, 0xBC, 0xBD), vector, strict=True):
        private[0x19, ACQ, element, "DS"] = str(part)
    attributes = {
        "Manufacturer": "GE MEDICAL SYSTEMS",
        "ImageOrientationPatient": orientation,
        "InPlanePhaseEncodingDirection": phase,
    }
    return find_gradient(facts_of(attributes, private))


# Frequency, phase and slice of (0.48, 0.6, 0.64) along row, column and normal:
# the signs are those of the public data set dcm_qa_ge and of dicm2nii's table.
@pytest.mark.parametrize(
    ("orientation", "phase", "lps"),
    [
        (AXIAL, "COL", (-0.48, -0.6, 0.64)),
        (AXIAL, "ROW", (-0.6, 0.48, 0.64)),
        (CORONAL, "COL", (-0.48, 0.64, -0.6)),
        (CORONAL, "ROW", (0.6, 0.64, -0.48)),
        (SAGITTAL, "COL", (0.64, 0.48, -0.6)),
        (SAGITTAL, "ROW", (0.64, 0.6, 0.48)),
    ],
)
def test_ge_vectors_are_in_axes_of_the_gradients(facts_of, orientation, phase, lps):
    gradient = ge(facts_of, (0.48, 0.6, 0.64), orientation, phase)
    assert gradient == Gradient(1000.0, pytest.approx(lps))


def test_ge_shells_are_scaled_by_the_vectors_length(facts_of):
    gradient = ge(facts_of, (0.0, 0.0, 0.5), AXIAL, b="1000003000")
    assert gradient == Gradient(750, pytest.approx((0.0, 0.0, 1.0)))


def test_ge_without_orientation_has_no_direction(facts_of):
    private = {(0x43, PARM, 0x39, "IS"): ["1000"], (0x19, ACQ, 0xBB, "DS"): "1"}
    private |= {(0x19, ACQ, 0xBC, "DS"): "0", (0x19, ACQ, 0xBD, "DS"): "0"}
    facts = facts_of({"Manufacturer": "GE MEDICAL SYSTEMS"}, private)
    assert find_gradient(facts) == Gradient(1000.0, None)


def series(facts_of, *b_values, **attributes):
    frames = []
    for b_value in b_values:
        own = {} if b_value is None else {"DiffusionBValue": b_value}
        frames.append((facts_of({**own, **attributes}),))
    return Acquisition(tuple(frames), (4, 4, 1))


def test_gradients_without_a_b_value_count_as_b0(facts_of):
    gradients = find_gradients(series(facts_of, None, 1000.0))
    assert gradients == (Gradient(0.0), Gradient(1000.0))


def test_other_series_have_no_gradients(facts_of):
    assert find_gradients(series(facts_of, None, None)) is None
    assert find_gradients(series(facts_of, 0.0, 0.0)) is None


def test_a_diffusion_series_of_b0_has_gradients(facts_of):
    acquisition = series(facts_of, 0.0, ImageType=["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"])
    assert find_gradients(acquisition) == (Gradient(0.0),)


def test_derived_maps_have_no_gradients(facts_of):
    acquisition = series(facts_of, 1000.0, ImageType=["DERIVED", "PRIMARY", "DIFFUSION", "FA"])
    assert find_gradients(acquisition) is None


@pytest.mark.parametrize(("phase", "names"), [("ROW", []), ("", ["assumed-gradient-axes"])])
def test_axes_that_had_to_be_assumed_are_told(facts_of, phase, names):
    attributes = {
        "Manufacturer": "CANON_MEC",
        "ImageComments": "b=1500(0.0,0.6,0.8)",
        "ImageOrientationPatient": AXIAL,
    }
    if phase:
        attributes["InPlanePhaseEncodingDirection"] = phase
    acquisition = Acquisition(((facts_of(attributes),),), (4, 4, 1))
    assert [loss.name for loss in find_gradient_losses(acquisition)] == names


def test_derived_volumes_of_several_directions_are_weighted_images(facts_of):
    def frame(*direction):
        attributes = {"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": list(direction)}
        return (facts_of({"ImageType": ["DERIVED", "PRIMARY", "VOLUME"], **attributes}),)

    several = Acquisition((frame(1.0, 0.0, 0.0), frame(0.0, 1.0, 0.0)), (4, 4, 1))
    same = Acquisition((frame(1.0, 0.0, 0.0), frame(1.0, 0.0, 0.0)), (4, 4, 1))

    assert [gradient.b_value for gradient in find_gradients(several)] == [1000.0, 1000.0]
    assert find_gradients(same) is None

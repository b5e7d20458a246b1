import pytest

from imgconv.dicom.bids import bids_fields
from imgconv.dicom.vendors.facts import Acquisition

MR = "SIEMENS MR HEADER"
GE_PARM = "GEMS_PARM_01"


def test_times_are_in_seconds(fields_of):
    fields = fields_of({"EchoTime": "30", "RepetitionTime": "2000", "InversionTime": "900"})
    assert fields["EchoTime"] == 0.03
    assert fields["RepetitionTime"] == 2
    assert fields["InversionTime"] == 0.9


@pytest.mark.parametrize(
    ("scanning", "variant", "expected"),
    [
        (["EP", "SE"], "SK", "Spin Echo EPI"),
        (["EP", "GR"], "SS", "Gradient Echo EPI"),
        ("EP", "SK", "Gradient Echo EPI"),
        ("SE", "SK", "Spin Echo"),
        (["SE", "IR"], "SK", "Inversion Recovery Spin Echo"),
        ("GR", ["SP", "SK"], "Spoiled Gradient Echo"),
        ("GR", "SK", "Gradient Echo"),
        (["GR", "IR"], ["SP", "MP"], "MPRAGE"),
        (["GR", "IR"], ["SP", "SK"], "Spoiled Gradient Echo"),
        (["EP", "SE", "IR"], "SK", "Spin Echo EPI"),
        ("RM", "NONE", None),
    ],
)
def test_pulse_sequence_type(fields_of, scanning, variant, expected):
    fields = fields_of({"ScanningSequence": scanning, "SequenceVariant": variant})
    assert fields.get("PulseSequenceType") == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"SequenceName": "epse2d1_90"}, "Spin Echo EPI"),
        ({"SequenceName": "epfid2d1_64"}, "Gradient Echo EPI"),
        ({"SequenceName": "epse2d1_90", "EchoPulseSequence": "GRADIENT"}, "Gradient Echo EPI"),
        ({"EchoPulseSequence": "SPIN"}, "Spin Echo EPI"),
    ],
)
def test_pulse_sequence_type_of_epi_alone(fields_of, attributes, expected):
    fields = fields_of({"ScanningSequence": "EP", **attributes})
    assert fields["PulseSequenceType"] == expected


def test_diffusion_weighted_epi_is_a_spin_echo(fields_of):
    fields = fields_of({"ScanningSequence": "EP", "DiffusionBValue": 1000.0})
    assert fields["PulseSequenceType"] == "Spin Echo EPI"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"Spoiling": "NONE"}, {"SpoilingState": False}),
        ({"Spoiling": "RF"}, {"SpoilingState": True, "SpoilingType": "RF"}),
        (
            {"Spoiling": "RF_AND_GRADIENT"},
            {"SpoilingState": True, "SpoilingType": "COMBINED"},
        ),
        ({"SequenceVariant": ["SK", "SP"]}, {"SpoilingState": True}),
        ({"MagnetizationTransfer": "NONE"}, {"MTState": False}),
        ({"MagnetizationTransfer": "OFF_RESONANCE"}, {"MTState": True}),
        ({"SequenceVariant": ["MTC", "SK"]}, {"MTState": True}),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]}, {"NonlinearGradientCorrection": False}),
        (
            {"ImageType": ["ORIGINAL", "PRIMARY", "M", "DIS2D"]},
            {"NonlinearGradientCorrection": True},
        ),
        ({}, {}),
    ],
)
def test_states(fields_of, attributes, expected):
    names = ("SpoilingState", "SpoilingType", "MTState", "NonlinearGradientCorrection")
    fields = fields_of(attributes)
    assert {name: fields[name] for name in names if name in fields} == expected


@pytest.mark.parametrize(
    ("direction", "positive", "expected"),
    [("COL", "1", "j"), ("COL", "0", "j-"), ("ROW", "1", "i"), ("ROW", "0", "i-")],
)
def test_phase_encoding_direction_in_axes_of_the_array(fields_of, direction, positive, expected):
    fields = fields_of(
        {"Manufacturer": "SIEMENS", "InPlanePhaseEncodingDirection": direction},
        {(0x21, "SIEMENS MR SDI 02", 0x1C, "IS"): positive},
    )
    assert fields["PhaseEncodingDirection"] == expected
    assert fields["InPlanePhaseEncodingDirectionDICOM"] == direction
    assert "PhaseEncodingAxis" not in fields


def test_phase_encoding_axis_without_polarity(fields_of):
    fields = fields_of({"InPlanePhaseEncodingDirection": "COLUMN"})
    assert fields["PhaseEncodingAxis"] == "j"
    assert "PhaseEncodingDirection" not in fields


def test_no_phase_encoding_axis_of_3d_without_an_echo_train(fields_of):
    attributes = {"InPlanePhaseEncodingDirection": "ROW", "MRAcquisitionType": "3D"}
    assert "PhaseEncodingAxis" not in fields_of(attributes)
    assert fields_of({**attributes, "EchoTrainLength": "39"})["PhaseEncodingAxis"] == "i"


def test_readout_of_siemens_from_the_bandwidth_per_pixel(fields_of):
    fields = fields_of(
        {"Manufacturer": "SIEMENS", "InPlanePhaseEncodingDirection": "ROW"},
        {(0x19, MR, 0x28, "FD"): 25.0},
        size=(80, 64, 1),
    )
    assert fields["ReconMatrixPE"] == 80
    assert fields["BandwidthPerPixelPhaseEncode"] == 25
    assert fields["EffectiveEchoSpacing"] == 0.0005
    assert fields["TotalReadoutTime"] == pytest.approx(0.0005 * 79)


def test_readout_of_ge_with_asset_partial_fourier_and_zero_filling(fields_of):
    fields = fields_of(
        {
            "Manufacturer": "GE MEDICAL SYSTEMS",
            "ScanOptions": ["EPI_GEMS", "PFF"],
            "AcquisitionMatrix": [128, 0, 0, 128],
        },
        {(0x43, GE_PARM, 0x2C, "SS"): 964, (0x43, GE_PARM, 0x83, "DS"): ["0.333333", "1"]},
        size=(256, 256, 1),
    )
    assert fields["EffectiveEchoSpacing"] == pytest.approx(43 * 964e-6 / 127)
    assert fields["TotalReadoutTime"] == pytest.approx(43 * 964e-6 / 127 * 255)
    assert fields["ParallelReductionFactorInPlane"] == 3


def test_readout_of_uih_is_a_slices_acquisition_duration(fields_of):
    fields = fields_of({"Manufacturer": "UIH", "AcquisitionDuration": 21.0})
    assert fields["TotalReadoutTime"] == 0.021
    assert "AcquisitionDuration" not in fields


def test_ge_repetition_time_includes_the_pause(fields_of):
    fields = fields_of(
        {"Manufacturer": "GE MEDICAL SYSTEMS", "RepetitionTime": "2000"},
        {(0x43, GE_PARM, 0x7C, "FL"): 0.055},
    )
    assert fields["RepetitionTime"] == pytest.approx(2.055)


def test_field_map_in_hz_has_two_echo_times(fields_of):
    fields = fields_of(
        {"Manufacturer": "GE MEDICAL SYSTEMS", "EchoTime": "4.608"},
        {
            (0x19, "GEMS_ACQU_01", 0x9C, "LO"): "B0rf",
            (0x43, GE_PARM, 0x30, "SS"): 0,
            (0x43, GE_PARM, 0x2C, "SS"): 2304,
        },
    )
    assert fields["Units"] == "Hz"
    assert fields["EchoTime1"] == 0.004608
    assert fields["EchoTime2"] == 0.006912
    assert "EchoTime" not in fields


def test_phase_images_have_arbitrary_units(fields_of):
    assert fields_of({"ImageType": ["ORIGINAL", "PRIMARY", "P"]})["Units"] == "arbitrary"
    assert "Units" not in fields_of({"ImageType": ["ORIGINAL", "PRIMARY", "M"]})


def test_echo_number_only_of_several(fields_of):
    assert "EchoNumber" not in fields_of({"EchoNumbers": "1", "EchoTime": "5"})
    assert fields_of({"EchoNumbers": "2", "EchoTime": "5"})["EchoNumber"] == 2
    two = {(0x2001, "Philips Imaging DD 001", 0x14, "SL"): 2}
    fields = fields_of({"Manufacturer": "Philips", "EchoNumbers": "1", "EchoTime": "5"}, two)
    assert fields["EchoNumber"] == 1


def test_labelling_of_the_standards_attributes(fields_of, dataset_of):
    slab = dataset_of({"ASLPulseTrainDuration": 1800})
    timing = {"ASLBolusCutoffTechnique": "QUIPSS II", "ASLBolusCutoffDelayTime": 700}
    asl = dataset_of(
        {
            "ASLSlabSequence": [slab],
            "ASLCrusherFlag": "NO",
            "ASLBolusCutoffFlag": "YES",
            "ASLBolusCutoffTimingSequence": [dataset_of(timing)],
        }
    )
    group = dataset_of({"MRArterialSpinLabelingSequence": [asl]})
    fields = fields_of(
        {
            "ArterialSpinLabelingContrast": "PSEUDOCONTINUOUS",
            "PerFrameFunctionalGroupsSequence": [group],
        }
    )
    assert fields["ArterialSpinLabelingType"] == "PCASL"
    assert fields["LabelingDuration"] == 1.8
    assert fields["VascularCrushing"] is False
    assert fields["BolusCutOffFlag"] is True
    assert fields["BolusCutOffDelayTime"] == 0.7
    assert fields["BolusCutOffTechnique"] == "QUIPSSII"


@pytest.mark.parametrize(
    ("delays", "expected"),
    [((1800.0, 1800.0), 1.8), ((1800.0, 1000.0), [1.8, 1]), ((0.0, 0.0), None)],
)
def test_labelling_delay_of_each_volume(facts_of, delays, expected):
    frames = tuple(
        (
            facts_of(
                {
                    "Modality": "MR",
                    "Manufacturer": "SIEMENS",
                    "ArterialSpinLabelingContrast": "PULSED",
                },
                {(0x21, "SIEMENS MR SDI 02", 0x89, "FD"): delay},
            ),
        )
        for delay in delays
    )
    fields = bids_fields(Acquisition(frames, (4, 4, 1)))
    assert fields.get("PostLabelingDelay") == expected


def test_slice_timing_is_left_out_for_3d(facts_of):
    def make(kind):
        frames = tuple(
            facts_of(
                {
                    "Modality": "MR",
                    "Manufacturer": "SIEMENS",
                    "MRAcquisitionType": kind,
                    "AcquisitionTime": f"10000{second}",
                    "RepetitionTime": "5000",
                }
            )
            for second in (1, 0)
        )
        return bids_fields(Acquisition((frames,), (4, 4, 2)))

    assert make("2D")["SliceTiming"] == [1, 0]
    assert "SliceTiming" not in make("3D")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [({}, 0.75), ({"PartialFourier": "NO"}, None), ({"MRAcquisitionType": "3D"}, None)],
)
def test_partial_fourier_of_siemens_without_a_protocol(fields_of, attributes, expected):
    fields = fields_of(
        {
            "Manufacturer": "SIEMENS",
            "PartialFourier": "YES",
            "EchoTrainLength": "54",
            "AcquisitionMatrix": [72, 0, 0, 72],
            **attributes,
        }
    )
    assert fields.get("PartialFourier") == expected


@pytest.mark.parametrize(
    ("scanning", "echoes", "is_told"),
    [(["GR"], 3, True), (["GR"], 1, False), (["SE", "IR"], 214, False), (["SE", "EP"], 30, False)],
)
def test_phase_encoding_of_3d_is_told_for_trains_of_gradient_echoes(
    fields_of, scanning, echoes, is_told
):
    fields = fields_of(
        {
            "InPlanePhaseEncodingDirection": "ROW",
            "MRAcquisitionType": "3D",
            "ScanningSequence": scanning,
            "EchoTrainLength": echoes,
        }
    )
    assert ("PhaseEncodingAxis" in fields) is is_told


def test_phase_encoding_of_3d_echo_planar_images_of_siemens_is_told(fields_of):
    attributes = {
        "Manufacturer": "SIEMENS",
        "InPlanePhaseEncodingDirection": "ROW",
        "MRAcquisitionType": "3D",
        "ScanningSequence": "EP",
        "EchoTrainLength": 1,
    }
    private = {(0x19, "SIEMENS MR HEADER", 0x28, "FD"): 20.0}
    assert "PhaseEncodingAxis" in fields_of(attributes, private)
    assert "PhaseEncodingAxis" not in fields_of(attributes)

import struct

import pytest
from tests.unit.dicom.files import encode, make_slice

from imgconv.dicom.header import parse_header
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.dicom.vendors.siemens import Siemens, siemens_fields, siemens_slice_times

CSA = "SIEMENS CSA HEADER"
MR = "SIEMENS MR HEADER"
SDS = "SIEMENS MR SDS 01"
SDI = "SIEMENS MR SDI 02"

PROTOCOL = """### ASCCONV BEGIN ###
tSequenceFileName = ""%SiemensSeq%\\ep2d_bold""
sKSpace.lBaseResolution = 64
sKSpace.ucPhasePartialFourier = 0x4
sKSpace.dPhaseResolution = 1.0
sGRADSPEC.asGPAData[0].lOffsetX = 10
sGRADSPEC.asGPAData[0].lOffsetY = -20
sGRADSPEC.alShimCurrent[1] = 5
sPat.lAccelFactPE = 2
sPat.lAccelFact3D = 1
sPat.ucPATMode = {mode}
ucCoilCombineMode = 2
lDelayTimeInTR = 500000
lContrasts = 2
alTE[0] = 4920
alTE[1] = 7380
sCoilSelectMeas.aRxCoilSelectData[0].asList[0].sCoilElementID.tCoilID = ""Head_32""
sSliceArray.ucMode = 0x4
### ASCCONV END ###"""


def csa(**elements):
    out = bytearray(b"SV10\4\3\2\1" + struct.pack("<2i", len(elements), 77))
    for name, (vr, items) in elements.items():
        out += struct.pack("<64si4siii", name.encode(), 1, vr.encode(), 0, len(items), 77)
        for item in items:
            raw = str(item).encode() + b"\0"
            out += struct.pack("<4i", len(raw), len(raw), 77, len(raw)) + raw + bytes(-len(raw) % 4)
    return bytes(out) + bytes(len(out) % 2)


@pytest.fixture
def mosaic(facts_of):
    def make(times, *, mode=2, number=1, **extra):
        image = {
            "NumberOfImagesInMosaic": ("US", [len(times)]),
            "PhaseEncodingDirectionPositive": ("IS", [1]),
            "BandwidthPerPixelPhaseEncode": ("FD", ["20.0"]),
            "RealDwellTime": ("IS", [2900]),
            "MosaicRefAcqTimes": ("FD", times),
            **extra,
        }
        series = {"MrPhoenixProtocol": ("UN", [PROTOCOL.replace("{mode}", str(mode))])}
        private = {(0x29, CSA, 0x10, "OB"): csa(**image), (0x29, CSA, 0x20, "OB"): csa(**series)}
        return facts_of({"InstanceNumber": number, "RepetitionTime": "2000"}, private)

    return make


def test_slice_times_of_a_mosaic_in_seconds(mosaic):
    acquisition = Acquisition(((mosaic([0.0, 1000.0, 500.0]),),), (64, 64, 3))
    assert siemens_slice_times(acquisition, 2.0) == (0.0, 1.0, 0.5)


def test_slice_times_follow_the_array_if_tiles_are_reversed(mosaic):
    acquisition = Acquisition(((mosaic([0.0, 1000.0, 500.0]),),), (64, 64, 3), tiles=(2, 1, 0))
    assert siemens_slice_times(acquisition, 2.0) == (0.5, 1.0, 0.0)


def test_slice_times_beyond_the_repetition_give_way_to_the_next_volume(mosaic):
    wrong = mosaic([0.0, 86397492.5, 140.0])
    right = mosaic([0.0, 1000.0, 500.0], number=2)
    acquisition = Acquisition(((wrong,), (right,)), (64, 64, 3))
    assert siemens_slice_times(acquisition, 2.0) == (0.0, 1.0, 0.5)


def test_slice_times_without_a_list_follow_the_protocols_order(mosaic):
    acquisition = Acquisition(((mosaic([0.0, 0.0, 0.0]),),), (64, 64, 3))
    # interleaved, odd slices first; 1.5 s for 3 slices, 0.5 s pause
    assert siemens_slice_times(acquisition, 2.0) == (0.0, 1.0, 0.5)


def test_slice_times_of_single_slices_come_from_acquisition_time(facts_of):
    frames = tuple(
        facts_of({"AcquisitionTime": f"10000{second}", "InstanceNumber": second})
        for second in (2, 0, 1)
    )
    assert siemens_slice_times(Acquisition((frames,), (4, 4, 3)), 5.0) == (2.0, 0.0, 1.0)


def test_slice_times_longer_than_the_repetition_are_refused(facts_of):
    frames = tuple(facts_of({"AcquisitionTime": f"1000{second}0"}) for second in (0, 5))
    assert siemens_slice_times(Acquisition((frames,), (4, 4, 2)), 5.0) is None


def test_fields_of_the_protocol(mosaic):
    facts = mosaic([0.0, 500.0, 1000.0])
    fields = siemens_fields(Acquisition(((facts,),), (64, 64, 3)), None, is_phase=False)
    assert fields["PulseSequenceDetails"] == "%SiemensSeq%\\ep2d_bold"
    assert fields["BaseResolution"] == 64
    assert fields["PartialFourier"] == 0.75
    assert fields["ShimSetting"] == [10, -20, 0, 0, 5, 0, 0, 0]
    assert fields["ParallelReductionFactorInPlane"] == 2
    assert fields["MatrixCoilMode"] == "GRAPPA"
    assert fields["CoilCombinationMethod"] == "Adaptive Combine"
    assert fields["DelayTime"] == 0.5
    assert fields["ReceiveCoilName"] == "Head_32"
    assert fields["DwellTime"] == pytest.approx(2.9e-6)
    assert "EchoTime1" not in fields
    assert "MultibandAccelerationFactor" not in fields


def test_fields_without_parallel_imaging_name_no_technique(mosaic):
    acquisition = Acquisition(((mosaic([0.0, 1.0], mode=1),),), (64, 64, 2))
    fields = siemens_fields(acquisition, None, is_phase=False)
    assert fields["MatrixCoilMode"] == "None"
    assert "ParallelAcquisitionTechnique" not in fields


def test_fields_of_a_phase_difference_have_both_echo_times(mosaic):
    acquisition = Acquisition(((mosaic([0.0, 1.0]),),), (64, 64, 2))
    fields = siemens_fields(acquisition, None, is_phase=True)
    assert fields["EchoTime1"] == pytest.approx(0.00492)
    assert fields["EchoTime2"] == pytest.approx(0.00738)


def test_multiband_from_equal_slice_times(mosaic):
    times = (0.0, 0.5, 0.0, 0.5)
    acquisition = Acquisition(((mosaic([0.0] * 4),),), (64, 64, 4))
    fields = siemens_fields(acquisition, times, is_phase=False)
    assert fields["MultibandAccelerationFactor"] == 2


def test_csa_numbers_of_one_frame(mosaic):
    siemens = Siemens(mosaic([0.0], B_value=("IS", [1000])))
    assert siemens.is_positive_phase_encoding() is True
    assert siemens.bandwidth_per_pixel() == 20.0
    assert siemens.diffusion_b_value() == 1000
    assert siemens.diffusion_direction() == ()
    assert not siemens.is_xa


def test_private_numbers_without_a_csa_header(facts_of):
    private = {
        (0x19, MR, 0x28, "FD"): 18.5,
        (0x19, MR, 0x0C, "IS"): "700",
        (0x19, MR, 0x0E, "FD"): [0.0, 1.0, 0.0],
        (0x21, SDI, 0x1C, "IS"): "0",
    }
    siemens = Siemens(facts_of({}, private))
    assert siemens.bandwidth_per_pixel() == 18.5
    assert siemens.diffusion_b_value() == 700
    assert siemens.diffusion_direction() == (0.0, 1.0, 0.0)
    assert siemens.is_positive_phase_encoding() is False


def test_a_csa_header_whose_creator_was_removed_is_read():
    dataset = make_slice()
    block = dataset.private_block(0x29, CSA, create=True)
    block.add_new(0x10, "OB", csa(PhaseEncodingDirectionPositive=("IS", [1])))
    del dataset[0x00290010]
    facts = Facts(parse_header(encode(dataset), "made.dcm"))
    assert Siemens(facts).is_positive_phase_encoding() is True


def test_in_plane_acceleration_by_the_pat_mode_if_there_is_no_protocol(facts_of):
    facts = facts_of({}, {(0x51, MR, 0x11, "LO"): "p2s4"})
    assert Siemens(facts).in_plane_acceleration() == 2
    assert Siemens(facts_of({}, {(0x51, MR, 0x11, "LO"): "s4"})).in_plane_acceleration() is None


def test_a_damaged_csa_header_counts_as_none(facts_of):
    siemens = Siemens(facts_of({}, {(0x29, CSA, 0x10, "OB"): b"SV10\4\3\2\1\xff\xff"}))
    assert siemens.image_header == {}
    assert siemens.is_positive_phase_encoding() is None


def test_xa_values_come_from_the_functional_groups(facts_of, dataset_of):
    sdi = dataset_of({}, {(0x21, SDI, 0x1C, "IS"): "1", (0x21, SDI, 0x53, "FD"): 39.063})
    sds = dataset_of({}, {(0x21, SDS, 0x5A, "CS"): "EP", (0x21, SDS, 0x5C, "CS"): ["PFP", "FS"]})
    own = dataset_of({}, {(0x21, SDI, 0xFE, "SQ"): [sdi]})
    shared = dataset_of({}, {(0x21, SDS, 0xFE, "SQ"): [sds]})
    facts = facts_of(
        {
            "SharedFunctionalGroupsSequence": [shared],
            "PerFrameFunctionalGroupsSequence": [own],
        }
    )
    siemens = Siemens(facts)
    assert siemens.is_xa
    assert siemens.is_positive_phase_encoding() is True
    assert siemens.bandwidth_per_pixel() == pytest.approx(39.063)
    fields = siemens_fields(Acquisition(((facts,),), (4, 4, 1)), None, is_phase=False)
    assert fields["ScanningSequence"] == "EP"
    assert fields["ScanOptions"] == "PFP\\FS"


def test_xa_slice_times_from_the_time_after_start(facts_of, dataset_of):
    frames = []
    for seconds in ("7.0", "7.535", "7.09"):
        sdi = dataset_of({}, {(0x21, SDI, 0x04, "DS"): seconds})
        group = dataset_of({}, {(0x21, SDI, 0xFE, "SQ"): [sdi]})
        frames.append(facts_of({"PerFrameFunctionalGroupsSequence": [group]}))
    times = siemens_slice_times(Acquisition((tuple(frames),), (4, 4, 3)), 1.0)
    assert times == pytest.approx((0.0, 0.535, 0.09))

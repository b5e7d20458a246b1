import gzip
import struct

import pytest

from imgconv.dicom.vendors.facts import Acquisition
from imgconv.dicom.vendors.ge import (
    Ge,
    GeRelease,
    ge_fields,
    ge_slice_times,
    parse_protocol_block,
    parse_release,
)

ACQ = "GEMS_ACQU_01"
PARM = "GEMS_PARM_01"
SERS = "GEMS_SERS_01"
RELEASE = ["27", "LX", "MR Software release:RX27.0_R03_1831.a"]


def block(text):
    return b"\x10\0\0\0" + gzip.compress(text.encode())


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("27\\LX\\MR Software release:RX27.0_R02_1831.a", GeRelease(27, 0, 2)),
        ("28\\LX\\MR29.1_EA_2039.g", GeRelease(29, 1, 0)),
        ("27\\LX\\MR Software release:DV26.0_R01_1725.a", GeRelease(26, 0, 1)),
        ("14\\LX\\MR Software release:14.0_M5A_0828.b", None),
        ("", None),
    ],
)
def test_parse_release(text, release):
    assert parse_release(text) == release


def test_parse_protocol_block_reads_quoted_values():
    found = parse_protocol_block(block('SLICEORDER "1"\nset IOPT "EPI, FMRI"\nSEDESC ""\n'))
    assert found == {"SLICEORDER": "1", "IOPT": "EPI, FMRI", "SEDESC": ""}


@pytest.mark.parametrize("blob", [b"", b"no gzip here", b"\x10\0\0\0\x1f\x8b\x08\0garbage"])
def test_parse_protocol_block_of_something_else_is_empty(blob):
    assert parse_protocol_block(blob) == {}


@pytest.fixture
def slices(facts_of):
    def make(count, protocol='IOPT "EPI, FMRI"\nSLICEORDER "1"\n', release=None, **private):
        shared = {(0x25, SERS, 0x1B, "OB"): block(protocol)}
        if "multiband" in private:
            shared[0x43, PARM, 0xB6, "LO"] = [private["multiband"], "4", "19"]
        if "delay" in private:
            shared[0x43, PARM, 0x7C, "FL"] = private["delay"]
        frames = [
            facts_of(
                {
                    "InstanceNumber": number + 1,
                    "RepetitionTime": "1000",
                    "ScanningSequence": ["EP", "GR"],
                    "SoftwareVersions": release or RELEASE,
                },
                shared,
            )
            for number in range(count)
        ]
        return Acquisition((tuple(frames),), (4, 4, count))

    return make


def test_slice_times_interleaved(slices):
    assert ge_slice_times(slices(5)) == pytest.approx((0.0, 0.6, 0.2, 0.8, 0.4))


def test_slice_times_sequential(slices):
    acquisition = slices(4, 'IOPT "EPI, FMRI"\nSLICEORDER "0"\n')
    assert ge_slice_times(acquisition) == pytest.approx((0.0, 0.25, 0.5, 0.75))


def test_slice_times_go_by_instance_not_by_position(slices):
    there = slices(5)
    back = Acquisition((tuple(reversed(there.frames[0])),), (4, 4, 5))
    assert ge_slice_times(back) == pytest.approx((0.4, 0.8, 0.2, 0.6, 0.0))


def test_slice_times_multiband_repeat(slices):
    times = ge_slice_times(slices(6, multiband="2"))
    assert times == pytest.approx((0.0, 2 / 3, 1 / 3) * 2)


def test_slice_times_multiband_even_swaps_the_last_slices(slices):
    # excitation order 0 2 3 1: releases from 27.0_R03
    times = ge_slice_times(slices(8, multiband="2"))
    assert times == pytest.approx((0.0, 0.75, 0.25, 0.5) * 2)


def test_slice_times_multiband_even_adds_an_excitation_before(slices):
    old = ["27", "LX", "MR Software release:RX27.0_R02_1831.a"]
    times = ge_slice_times(slices(8, multiband="2", release=old))
    assert times[:5] == pytest.approx((0.0, 0.6, 0.2, 0.8, 0.4))


@pytest.mark.parametrize(
    "change",
    [
        {"delay": -1.0},
        {"multiband": "2", "release": ["14", "LX", "unknown"]},
        {"protocol": 'IOPT "EPI"\n'},
        {"multiband": "2", "release": ["25", "LX", "MR Software release:DV25.1_R01_1617.b"]},
    ],
)
def test_slice_times_are_not_guessed(slices, change):
    assert ge_slice_times(slices(4, **change)) is None


def test_slice_times_of_other_than_epi_are_unknown(facts_of):
    frames = tuple(
        facts_of({"InstanceNumber": n, "RepetitionTime": "9", "SoftwareVersions": RELEASE})
        for n in (1, 2)
    )
    assert ge_slice_times(Acquisition((frames,), (4, 4, 2))) is None


def record(*, revision, control, ky, kind=0x800):
    start, shift, ky_at = (64, 0x4C, 0x394 - 0x8C) if revision > 25 else (64, 0, 0x394)
    blob = bytearray(2000)
    struct.pack_into("<H", blob, 24, start)
    struct.pack_into("<f", blob, start, revision)
    struct.pack_into("<H", blob, start + shift + 0x30, control)
    struct.pack_into("<H", blob, start + shift + 0x3A, kind)
    struct.pack_into("<H", blob, start + shift + ky_at, ky)
    return bytes(blob)


@pytest.mark.parametrize("revision", [16.0, 26.002])
@pytest.mark.parametrize(
    ("control", "ky", "flipped"), [(0, 0, False), (4, 0, True), (0, 2, True), (4, 2, False)]
)
def test_polarity_from_the_raw_header_record(facts_of, revision, control, ky, flipped):
    blob = record(revision=revision, control=control, ky=ky)
    ge = Ge(facts_of({"ScanningSequence": "EP"}, {(0x43, PARM, 0x2A, "OB"): blob}))
    assert ge.is_flipped() is flipped


@pytest.mark.parametrize(
    "blob", [b"", bytes(40), record(revision=26.0, control=4, ky=0, kind=0), bytes(2000)]
)
def test_polarity_is_unknown_from_another_record(facts_of, blob):
    assert Ge(facts_of({}, {(0x43, PARM, 0x2A, "OB"): blob})).is_flipped() is None


@pytest.mark.parametrize(("order", "flipped"), [("LINEAR", True), ("REVERSE_LINEAR", False)])
def test_polarity_of_recent_releases(facts_of, order, flipped):
    facts = facts_of({"ScanningSequence": "EP", "RectilinearPhaseEncodeReordering": order})
    assert Ge(facts).is_flipped() is flipped


def test_fields(facts_of):
    facts = facts_of(
        {"ScanningSequence": "EP", "RectilinearPhaseEncodeReordering": "LINEAR"},
        {
            (0x19, ACQ, 0x9C, "LO"): "epi2",
            (0x19, ACQ, 0x9E, "LO"): "EPI2",
            (0x19, ACQ, 0x5A, "FL"): 8000000.0,
            (0x19, ACQ, 0xDF, "DS"): "1",
            (0x19, ACQ, 0xE0, "DS"): "6",
            (0x43, PARM, 0x02, "SS"): 3,
            (0x43, PARM, 0x03, "SS"): 4,
            (0x43, PARM, 0x04, "SS"): -12,
            (0x43, PARM, 0x83, "DS"): ["0.333333", "1"],
            (0x43, PARM, 0xB2, "LO"): ["960.5", "400", "17.9108", "0"],
        },
    )
    assert ge_fields(Acquisition(((facts,),), (4, 4, 1))) == {
        "SequenceName": "epi2",
        "InternalPulseSequenceName": "EPI2",
        "ShimSetting": [3.0, 4.0, -12.0],
        "PhaseEncodingPolarityGE": "Flipped",
        "ParallelReductionFactorInPlane": 3.0,
        "ParallelReductionFactorOutOfPlane": 1.0,
        "TablePosition": [0, 0, 17.9108],
        "AcquisitionDuration": pytest.approx(8.0),
        "NumberOfDiffusionDirectionGE": 6,
        "NumberOfDiffusionT2GE": 1,
    }


def test_fields_of_arterial_spin_labelling(facts_of):
    facts = facts_of(
        {"InversionTime": "2025"},
        {
            (0x43, PARM, 0xA3, "CS"): "PSEUDOCONTINUOUS",
            (0x43, PARM, 0xA4, "LO"): "3D pulsed continuous ASL technique",
            (0x43, PARM, 0xA5, "IS"): "1450",
        },
    )
    fields = ge_fields(Acquisition(((facts,),), (4, 4, 1)))
    assert fields["ArterialSpinLabelingType"] == "PCASL"
    assert fields["LabelingDuration"] == 1.45
    assert fields["PostLabelingDelay"] == 2.025


@pytest.mark.parametrize(
    ("stored", "b_value"), [("1000", 1000), ("1000001000", 1000), ("0", 0), ("-1", None)]
)
def test_b_value_without_its_flag(facts_of, stored, b_value):
    facts = facts_of({}, {(0x43, PARM, 0x39, "IS"): [stored, "8", "0", "0"]})
    assert Ge(facts).diffusion_b_value() == b_value


def test_field_map_is_told_by_the_collapse_flag(facts_of):
    def make(flag):
        private = {(0x19, ACQ, 0x9C, "LO"): "B0rf", (0x43, PARM, 0x30, "SS"): flag}
        return Ge(facts_of({}, private))

    assert make(0).is_field_map
    assert not make(2).is_field_map


@pytest.mark.parametrize(
    ("contrast", "technique", "kind"),
    [
        ("", "3D pulsed continuous ASL technique", "PCASL"),
        ("", "3D continuous ASL technique", "CASL"),
        ("PULSED", "3D continuous ASL technique", "PASL"),
    ],
)
def test_asl_type_by_the_contrast_else_by_the_technique(facts_of, contrast, technique, kind):
    private = {(0x43, PARM, 0xA4, "LO"): technique}
    if contrast:
        private[0x43, PARM, 0xA3, "CS"] = contrast
    facts = facts_of({"Manufacturer": "GE MEDICAL SYSTEMS"}, private)
    assert ge_fields(Acquisition(((facts,),), (4, 4, 1)))["ArterialSpinLabelingType"] == kind

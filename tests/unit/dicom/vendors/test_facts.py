import pytest

from imgconv.dicom.vendors.facts import Acquisition, private_items


@pytest.fixture
def enhanced(facts_of, dataset_of):
    def make(frame=0):
        own = [
            dataset_of({"MREchoSequence": [dataset_of({"EffectiveEchoTime": 10.0 + 2 * number})]})
            for number in range(2)
        ]
        direction = dataset_of({"DiffusionGradientOrientation": [0.0, 0.6, 0.8]})
        diffusion = {
            "DiffusionBValue": 1000.0,
            "DiffusionGradientDirectionSequence": [direction],
        }
        own[1].MRDiffusionSequence = [dataset_of(diffusion)]
        timing = dataset_of({"RepetitionTime": 4800.0, "FlipAngle": 90.0})
        shared = dataset_of({"MRTimingAndRelatedParametersSequence": [timing]})
        attributes = {
            "RepetitionTime": 1.0,
            "SequenceName": "top",
            "SharedFunctionalGroupsSequence": [shared],
            "PerFrameFunctionalGroupsSequence": own,
        }
        return facts_of(attributes, frame=frame)

    return make


def test_get_prefers_the_frame_then_the_shared_group_then_the_top(enhanced):
    facts = enhanced(frame=1)
    assert facts.number("EffectiveEchoTime") == 12.0
    assert facts.number("RepetitionTime") == 4800.0
    assert facts.text("SequenceName") == "top"


def test_get_follows_nested_macros(enhanced):
    assert enhanced(frame=1).numbers("DiffusionGradientOrientation") == (0.0, 0.6, 0.8)
    assert enhanced(frame=0).numbers("DiffusionGradientOrientation") == ()


def test_get_reads_philips_private_copies(facts_of, dataset_of):
    item = dataset_of({"Spoiling": "RF", "PulseSequenceName": "DwiSE"})
    key = (0x2005, "Philips MR Imaging DD 005", 0x0F, "SQ")
    facts = facts_of({"EchoTime": 5.0}, {key: [item]})
    assert facts.text("Spoiling") == "RF"
    assert facts.text("SequenceName", "PulseSequenceName") == "DwiSE"


def test_private_values_of_several_kinds(facts_of):
    facts = facts_of(
        {},
        {
            (0x0043, "GEMS_PARM_01", 0x83, "DS"): ["0.5", "1"],
            (0x0043, "GEMS_PARM_01", 0x95, "LO"): "TG/s3",
        },
    )
    assert facts.private_numbers(0x43, "GEMS_PARM_01", 0x83, "DS") == (0.5, 1.0)
    assert facts.private_number(0x43, "GEMS_PARM_01", 0x83, "DS") == 0.5
    assert facts.private_text(0x43, "GEMS_PARM_01", 0x95) == "TG/s3"
    assert facts.private_number(0x43, "OTHER", 0x83, "DS") is None


def test_numbers_of_text_or_nothing_are_empty(facts_of):
    facts = facts_of({"SequenceName": "abc"})
    assert facts.numbers("SequenceName") == ()
    assert facts.number("EchoTime", "RepetitionTime") is None
    assert facts.text("ProtocolName") == ""


def test_text_joins_values_by_backslashes(facts_of):
    assert facts_of({"ScanningSequence": ["EP", "SE"]}).text("ScanningSequence") == "EP\\SE"


def test_acquisition_first_is_the_lowest_instance(facts_of):
    frames = [facts_of({"InstanceNumber": number}) for number in (3, 1, 2)]
    acquisition = Acquisition((tuple(frames),), (4, 4, 3))
    assert acquisition.first is frames[1]
    assert not acquisition.is_tiled


def test_acquisition_orders_tile_values_as_the_array(facts_of):
    one = facts_of({})
    acquisition = Acquisition(((one,), (one,)), (4, 4, 3), tiles=(2, 1, 0))
    assert acquisition.is_tiled
    assert acquisition.in_array_order((0.0, 1.0, 2.0)) == (2.0, 1.0, 0.0)
    assert Acquisition(((one,),), (4, 4, 3)).in_array_order((0.0, 1.0, 2.0)) == (0.0, 1.0, 2.0)


def orphan(facts_of, vr, value):
    facts = facts_of({}, {(0x43, "GEMS_PARM_01", 0x39, vr): value})
    # The creator becomes an element of another number, as if it had been removed.
    facts.header._elements().pop(0x00430010)
    facts.header._blocks = None
    return facts


def test_private_values_survive_the_loss_of_their_creator(facts_of):
    facts = orphan(facts_of, "IS", ["1000", "8"])
    assert facts.private_numbers(0x43, "GEMS_PARM_01", 0x39, "IS") == (1000.0, 8.0)
    unknown = orphan(facts_of, "UN", b"1000\\8 ")
    assert unknown.private_numbers(0x43, "GEMS_PARM_01", 0x39, "IS") == (1000.0, 8.0)


def test_a_block_of_another_creator_is_left_alone(facts_of):
    facts = facts_of({}, {(0x43, "SOMEBODY", 0x39, "IS"): "1000"})
    assert facts.private_numbers(0x43, "GEMS_PARM_01", 0x39, "IS") == ()


def test_a_damaged_private_sequence_counts_as_missing(facts_of):
    key = (0x2005, "Philips MR Imaging DD 005", 0x0F, "OB")
    facts = facts_of({"EchoTime": 5.0}, {key: b"\xfe\xff\0\xe0\xff\0\0\0junk"})
    table = facts.header._elements()
    table[0x2005100F] = ("SQ", *table[0x2005100F][1:])
    assert facts.text("Spoiling") == ""
    assert private_items(facts.header, 0x2005, "Philips MR Imaging DD 005", 0x0F) == ()
    assert facts.number("EchoTime") == 5.0

import pytest

from imgconv.dicom.vendors.reconstruction import reconstruction_fields

GE = "GEMS_PARM_01"
SDI = "SIEMENS MR SDI 02"
SDS = "SIEMENS MR SDS 01"


@pytest.mark.parametrize(
    ("private", "fields"),
    [
        ({(0x43, GE, 0xB7, "LO"): ["1.24", "1", "10", "0"]}, {"CompressedSensingFactor": 1.24}),
        ({(0x43, GE, 0xB7, "LO"): ["1", "1", "10", "0"]}, {}),
        (
            {(0x43, GE, 0xCA, "LO"): ["0.75", "High"]},
            {"DeepLearning": True, "DeepLearningDetails": "0.75\\High"},
        ),
        ({(0x43, GE, 0xCA, "LO"): ["0", "Off"]}, {}),
        ({(0x43, GE, 0xCA, "LO"): "unknown"}, {}),
    ],
)
def test_ge(facts_of, private, fields):
    facts = facts_of({"Manufacturer": "GE MEDICAL SYSTEMS"}, private)
    assert reconstruction_fields(facts) == fields


def siemens(facts_of, dataset_of, types, steps, accelerations):
    lines = "\n".join(f"sPat.{name} = {value}" for name, value in accelerations.items())
    protocol = f"### ASCCONV BEGIN ###\n{lines}\n### ASCCONV END ###".encode()
    item = dataset_of({}, {(0x21, SDI, 0x75, "CS"): types, (0x21, SDI, 0x76, "LO"): steps})
    series = dataset_of({}, {(0x21, SDS, 0x19, "OB"): protocol + bytes(len(protocol) % 2)})
    group = dataset_of({}, {(0x21, SDI, 0xFE, "SQ"): [item]})
    shared = dataset_of({}, {(0x21, SDS, 0xFE, "SQ"): [series]})
    return facts_of(
        {
            "Manufacturer": "Siemens Healthineers",
            "SharedFunctionalGroupsSequence": [shared],
            "PerFrameFunctionalGroupsSequence": [group],
        }
    )


@pytest.mark.parametrize(
    ("total", "in_plane", "fields"),
    [(4.0, 1, {"CompressedSensingFactor": 4.0}), (2.0, 2, {}), (0, 2, {})],
)
def test_siemens_compressed_sensing(facts_of, dataset_of, total, in_plane, fields):
    numbers = {"lAccelFactPE": in_plane, "lAccelFact3D": 1, "dTotalAccelFact": total}
    facts = siemens(facts_of, dataset_of, ["ORIGINAL", "PRIMARY", "M"], ["NONE"], numbers)
    assert reconstruction_fields(facts) == fields


def test_siemens_deep_resolve(facts_of, dataset_of):
    types = ["ORIGINAL", "PRIMARY", "M", "DRB", "DIS2D"]
    facts = siemens(facts_of, dataset_of, types, ["ACCAlgo:9", "EdgeEnhancement_2"], {})
    assert reconstruction_fields(facts) == {
        "DeepLearning": True,
        "DeepLearningDetails": "ACCAlgo:9\\EdgeEnhancement_2",
    }


@pytest.mark.parametrize(
    ("technique", "fields"), [("CSENSE", {"CompressedSensingFactor": 2.5}), ("SENSE", {})]
)
def test_philips(facts_of, technique, fields):
    facts = facts_of(
        {
            "Manufacturer": "Philips",
            "ParallelAcquisitionTechnique": technique,
            "ParallelReductionFactorInPlane": 2.5,
        }
    )
    assert reconstruction_fields(facts) == fields


def test_other_vendors_have_none(facts_of):
    assert reconstruction_fields(facts_of({"Manufacturer": "UIH"})) == {}

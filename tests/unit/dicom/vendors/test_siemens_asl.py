import pytest

from imgconv.dicom.vendors.siemens_asl import siemens_asl_fields


def protocol(sequence, **slots):
    found = {"tSequenceFileName": f"%CustomerSeq%\\{sequence}", "alTR[0]": 4000000}
    for name, value in slots.items():
        kind, place = name.split("_")
        prefix = "alTI" if kind == "alTI" else f"sWipMemBlock.{kind}"
        found[f"{prefix}[{place}]"] = value
    return found


@pytest.mark.parametrize(
    ("sequence", "slots", "expected"),
    [
        (
            "ep2d_pasl",
            {"alTI_0": 700000, "alTI_2": 1800000},
            {
                "ArterialSpinLabelingType": "PASL",
                "PASLType": "PICORE",
                "BolusDuration": 0.7,
                "InversionTime": 1.8,
                "PostLabelingDelay": 1.8,
            },
        ),
        (
            "ep2d_pcasl_UI_PHC",
            {"adFree_1": 90.0, "adFree_2": 1500000.0, "adFree_3": 80.0, "adFree_4": 360.0},
            {
                "ArterialSpinLabelingType": "PCASL",
                "LabelingDistance": 90,
                "PostLabelingDelay": 1.5,
                "LabelingDuration": 1.472,
                "NumRFBlocks": 80,
                "RFGap": 0.00036,
                "RepetitionTimePreparation": 4,
            },
        ),
        (
            "ep2d_fairest",
            {"adFree_2": 700, "adFree_4": 1200},
            {
                "ArterialSpinLabelingType": "PASL",
                "PASLType": "FAIR",
                "PostInversionDelay": 0.7,
                "PostLabelingDelay": 1.2,
            },
        ),
        (
            "to_ep2d_VEPCASL",
            {"alFree_9": 1400, "alFree_11": 250, "alFree_12": 500, "alFree_14": 750},
            {
                "ArterialSpinLabelingType": "PCASL",
                "LabelingDuration": 1.4,
                "PostLabelingDelay": [0.25, 0.5],
                "RepetitionTimePreparation": 4,
            },
        ),
        (
            "jw_tgse_VEPCASL",
            {"alFree_9": 1200, "alFree_10": 100, "alFree_13": 400, "alFree_30": 250},
            {
                "ArterialSpinLabelingType": "PCASL",
                "MaximumT1Opt": 1.2,
                "Tag0": 0.1,
                "Tag3": 0.4,
                "PostLabelingDelay": [0.25],
                "RepetitionTimePreparation": 4,
            },
        ),
        ("ep2d_bold", {"alTI_0": 700000}, {}),
    ],
)
def test_known_sequences(sequence, slots, expected):
    fields = siemens_asl_fields(protocol(sequence, **slots))
    assert fields.keys() == expected.keys()
    for name, value in expected.items():
        assert fields[name] == (value if isinstance(value, str) else pytest.approx(value))

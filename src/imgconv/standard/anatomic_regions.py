"""Coded anatomic regions for the terms of Body Part Examined.

Source
------
PS3.16 Annex L, table L-1 (SNOMED CT)
"""

from __future__ import annotations

__all__ = ["find_region"]

# Body Part Examined -> SNOMED CT code, meaning.
_REGIONS = {
    "ABDOMEN": ("818983003", "Abdomen"),
    "ABDOMENPELVIS": ("818982008", "Abdomen and Pelvis"),
    "ANKLE": ("70258002", "Ankle joint"),
    "ARM": ("40983000", "Upper arm"),
    "BLADDER": ("89837001", "Urinary bladder"),
    "BRAIN": ("12738006", "Brain"),
    "BREAST": ("76752008", "Breast"),
    "CHEST": ("816094009", "Chest"),
    "CHESTABDOMEN": ("416550000", "Chest and Abdomen"),
    "CHESTABDPELVIS": ("416775004", "Chest, Abdomen and Pelvis"),
    "CSPINE": ("122494005", "Cervical spine"),
    "ELBOW": ("127949000", "Elbow joint"),
    "EYE": ("81745001", "Eye"),
    "FOOT": ("56459004", "Foot"),
    "HAND": ("85562004", "Hand"),
    "HEAD": ("69536005", "Head"),
    "HEADNECK": ("774007", "Head and Neck"),
    "HEART": ("80891009", "Heart"),
    "HIP": ("24136001", "Hip joint"),
    "KIDNEY": ("64033007", "Kidney"),
    "KNEE": ("72696002", "Knee"),
    "LEG": ("30021000", "Lower leg"),
    "LIVER": ("10200004", "Liver"),
    "LSPINE": ("122496007", "Lumbar spine"),
    "NECK": ("45048000", "Neck"),
    "PANCREAS": ("15776009", "Pancreas"),
    "PELVIS": ("816092008", "Pelvis"),
    "PROSTATE": ("41216001", "Prostate"),
    "SHOULDER": ("16982005", "Shoulder"),
    "SKIN": ("39937001", "Skin"),
    "SKULL": ("89546000", "Skull"),
    "SPINE": ("421060004", "Spine"),
    "THORAX": ("816094009", "Chest"),  # no term of the table, and means no other region
    "TSPINE": ("122495006", "Thoracic spine"),
    "UTERUS": ("35039007", "Uterus"),
    "WRIST": ("74670003", "Wrist joint"),
}


def find_region(body_part: str) -> tuple[str, str] | None:
    """Return SNOMED CT code and meaning of a term of Body Part Examined, None if it has none."""
    return _REGIONS.get(body_part.upper())

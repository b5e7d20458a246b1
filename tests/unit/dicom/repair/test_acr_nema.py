from __future__ import annotations

import struct

import numpy as np
from builders import element, tree_of

from imgconv.dicom.repair.acr_nema import is_acr_nema, mend_acr_nema

CODE = element(0x00080010, "LO", b"ACR-NEMA 2.0")


def us(tag: int, value: int) -> bytes:
    return element(tag, "US", struct.pack("<H", value))


def test_mend_acr_nema_becomes_a_secondary_capture():
    tree = tree_of(CODE, us(0x00280010, 1), us(0x00280011, 2), element(0x7FE00010, "OW", bytes(4)))

    mend_acr_nema(tree)

    root = tree.dataset
    assert root.text(0x00080016) == "1.2.840.10008.5.1.4.1.1.7"
    assert root.text(0x00080064) == "DI"
    assert root.text(0x00280004) == "MONOCHROME2"
    assert 0x00080010 not in root.elements


def test_mend_acr_nema_packed_samples_are_spread():
    packed = bytes([0x34, 0x12, 0xAB])
    tree = tree_of(
        CODE,
        us(0x00280010, 1),
        us(0x00280011, 2),
        us(0x00280100, 12),
        element(0x7FE00010, "OW", packed + b"\0"),
    )

    mend_acr_nema(tree)

    samples = np.frombuffer(bytes(tree.dataset.elements[0x7FE00010].value), "<u2")
    assert samples.tolist() == [0x234, 0xAB1]
    assert tree.dataset.integer(0x00280100) == 16


def test_is_acr_nema_file_with_a_sop_class_is_none():
    tree = tree_of(
        element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0"), element(0x7FE00010, "OW", b"")
    )

    assert not is_acr_nema(tree)
    assert mend_acr_nema(tree) == []


def test_is_acr_nema_data_set_with_an_instance_uid_is_a_damaged_one():
    pixels = element(0x7FE00010, "OW", b"\0\0")

    assert is_acr_nema(tree_of(element(0x00080060, "CS", b"MR"), pixels))
    assert not is_acr_nema(tree_of(element(0x00080018, "UI", b"1.2\0"), pixels))

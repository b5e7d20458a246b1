import struct

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.test_geometry import ANGLES, rotation

from imgconv.errors import CorruptData, InputError, UnsupportedData
from imgconv.formats.nifti_header import (
    NiftiHeader,
    affine_to_qform,
    header_size,
    qform_to_affine,
)


def make(**changes):
    values = {"shape": (4, 3, 2), "datatype": 4, **changes}
    return NiftiHeader(**values)


def with_field(name, *values, **changes):
    """Return a packed header with one field overwritten."""
    places = {"dim": (40, "8h"), "datatype": (70, "h"), "pixdim": (76, "8f"), "magic": (344, "4s")}
    places |= {"vox_offset": (108, "f"), "scl_slope": (112, "f"), "scl_inter": (116, "f")}
    places |= {"quatern": (256, "3f"), "qform_code": (252, "h"), "sizeof_hdr": (0, "i")}
    places |= {"xyzt_units": (123, "B")}
    offset, form = places[name]
    head = bytearray(make(**changes).pack())
    struct.pack_into(f"<{form}", head, offset, *values)
    return bytes(head)


def test_pack_is_read_by_nibabel():
    affine = np.diag([-1.5, 2.0, 3.0, 1.0])
    affine[:3, 3] = 10, -20, 30
    header = make(
        shape=(4, 3, 2, 5),
        qform=affine,
        sform=affine,
        codes=(1, 1),
        spacing=(1.5, 2.0, 3.0),
        volume_seconds=2.5,
        slope=2.0,
        inter=-3.0,
        descrip=b"TE=30",
    )
    packed = header.pack()
    assert len(packed) == 352
    theirs = nibabel.Nifti1Header(packed[:348])
    assert theirs.get_data_shape() == (4, 3, 2, 5)
    assert theirs.get_zooms() == (1.5, 2.0, 3.0, 2.5)
    assert theirs.get_xyzt_units() == ("mm", "sec")
    assert theirs.get_slope_inter() == (2.0, -3.0)
    assert np.array_equal(theirs.get_sform(), affine)
    assert np.allclose(theirs.get_qform(), affine)
    assert theirs["descrip"] == b"TE=30"


def test_pack_of_long_dimensions_is_nifti_2():
    packed = make(shape=(40000, 1, 1)).pack()
    assert header_size((40000, 1, 1)) == len(packed) == 544
    assert nibabel.Nifti2Header(packed[:540]).get_data_shape() == (40000, 1, 1)
    assert NiftiHeader.parse(packed).shape == (40000, 1, 1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Header, nibabel.Nifti2Header])
def test_parse_reads_what_nibabel_writes(order, kind):
    theirs = kind(endianness=order)
    theirs.set_data_dtype(np.float32)
    theirs.set_data_shape((5, 6, 7, 2))
    theirs.set_zooms((1, 2, 3, 1500))
    theirs.set_xyzt_units("mm", "msec")
    theirs.set_sform(np.diag([1.0, 2, 3, 1]), 2)
    theirs["magic"] = b"n+1" if kind is nibabel.Nifti1Header else b"n+2\0\r\n\x1a\n"
    theirs["vox_offset"] = 352 if kind is nibabel.Nifti1Header else 544
    ours = NiftiHeader.parse(theirs.binaryblock + bytes(4))
    assert ours.shape == (5, 6, 7, 2)
    assert ours.dtype == np.dtype(f"{order}f4")
    assert ours.volume_seconds == 1.5
    assert ours.qform is None
    assert np.array_equal(ours.sform, np.diag([1.0, 2, 3, 1]))


@given(ANGLES, st.sampled_from([-1.0, 1.0]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_affine_to_qform_and_back_is_exact_as_float32_can_be(angles, handedness, near_half_turn):
    turn = rotation(angles)
    if near_half_turn:
        turn = np.diag([-1.0, -1.0, 1.0]) @ rotation(np.array(angles) * 1e-4)
    spacing = np.array([1.0, 1.5, 2.0])
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing * [1, 1, handedness]
    quatern, offset, qfac = affine_to_qform(affine, np.dtype(np.float32))
    back = qform_to_affine(quatern.astype(np.float32).astype(float), offset, spacing, qfac)
    # The fourth part is not stored: rounding the others costs it eps / a, at spacing 2 twice that
    # on each side; and nifti1_io.c takes a**2 < 1e-7 for 0, which costs up to 3e-4 rad.
    a = np.sqrt(max(np.trace(turn) + 1, 1e-9)) / 2
    assert np.abs(back - affine).max() < np.clip(4 * np.finfo(np.float32).eps / a, 2e-6, 2e-3)
    assert np.dot(quatern, quatern) <= 1 + 2e-7


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", "the header has `0` bytes"),
        (b"x" * 352, "neither 348"),
        (make().pack()[:200], "the header has `200` bytes"),
        (with_field("dim", 9, 1, 1, 1, 1, 1, 1, 1), "dim\\[0\\] is `9`"),
        (with_field("dim", 3, -4, 3, 2, 1, 1, 1, 1), "a dimension is `-4`"),
        (with_field("dim", 3, 0, 3, 2, 1, 1, 1, 1), "a dimension is `0`"),
        (with_field("vox_offset", float("nan")), "vox_offset is `nan`"),
        (with_field("vox_offset", 8.0), "vox_offset is `8`"),
        (with_field("vox_offset", 352.5), "vox_offset"),
        (with_field("scl_slope", float("inf")), "not both finite"),
        (with_field("scl_inter", float("nan")), "not both finite"),
        (with_field("pixdim", *[float("inf")] * 8), "pixdim is not finite"),
        (with_field("xyzt_units", 7), "length code `7`"),
        (with_field("quatern", 9.0, 0, 0, qform=np.eye(4), codes=(1, 0)), "no rotation"),
    ],
)
def test_parse_of_a_hostile_header_is_refused(head, message):
    with pytest.raises(CorruptData, match=message):
        NiftiHeader.parse(head)


@pytest.mark.parametrize(
    ("head", "message"),
    [(with_field("magic", b"\0\0\0\0"), "Analyze"), (with_field("datatype", 1), "datatype `1`")],
)
def test_parse_of_what_is_not_supported_is_refused(head, message):
    with pytest.raises(UnsupportedData, match=message):
        NiftiHeader.parse(head)


@given(st.binary(max_size=600))
def test_parse_of_noise_raises_our_errors_only(noise):
    head = make().pack()
    for data in (noise, noise + head[len(noise) :], head[:40] + noise + head[40 + len(noise) :]):
        try:
            NiftiHeader.parse(data)
        except InputError:
            continue


@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_parse_of_no_slope_means_no_scaling(slope):
    header = NiftiHeader.parse(with_field("scl_slope", slope))
    assert (header.slope, header.inter) == (1.0, 0.0)


def test_parse_pads_to_three_dimensions_and_drops_trailing_ones():
    assert NiftiHeader.parse(with_field("dim", 2, 4, 3, 1, 1, 1, 1, 1)).shape == (4, 3, 1)
    assert NiftiHeader.parse(with_field("dim", 5, 4, 3, 2, 1, 1, 1, 1)).shape == (4, 3, 2)


def test_parse_takes_micrometres_for_what_they_are():
    header = NiftiHeader.parse(with_field("xyzt_units", 3, sform=np.eye(4), codes=(0, 1)))
    assert header.sform[0, 0] == pytest.approx(0.001)

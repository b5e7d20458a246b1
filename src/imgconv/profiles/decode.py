"""Decode the frames of a file, for profiles that ask whether that is possible."""

from __future__ import annotations

from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import read_header
from imgconv.errors import ImgconvError
from imgconv.rules.instance import Instance

__all__ = ["check_decoding"]


def check_decoding(instance: Instance, *, want_varied: bool = False) -> str:
    """Return why the pixels cannot be used, empty if they can.

    Parameters
    ----------
    want_varied
        Whether frames that all hold a single value are of no use.
    """
    try:
        reader = FrameReader.from_header(read_header(instance.tree.path))
        varied = False
        for number in range(reader.frame_count):
            frame = reader.read(number)
            varied = varied or bool(frame.size and frame.min() != frame.max())
    except ImgconvError as error:
        return f"the pixels cannot be decoded: {error.message}"
    return "all pixels have the same value" if want_varied and not varied else ""

"""Hostile files through the real command: a clear error, soon, in little memory, and no output."""

import io
import struct
import subprocess
import sys
import tarfile
import time
import zlib

import imagecodecs
import numpy as np
import pytest
from tests.unit.dicom.pixel_files import file_bytes

from imgconv.dicom.reencode import format_element

pytest.importorskip("resource", reason="memory is measured by POSIX means")

RLE, JPEG, JPEG_LS, JPEG_2000 = (
    f"1.2.840.10008.1.2.{end}" for end in ("5", "4.50", "4.80", "4.90")
)
DEFLATED, DEFLATED_FRAMES = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.8.1"
EXPLICIT = "1.2.840.10008.1.2.1"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
MOST_KB, MOST_SECONDS = 512 << 10, 5
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.returncode)
print(done.stderr)
"""


def _item(value):
    value += b"\0" * (len(value) % 2)
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(value)) + value


def _file(uid, fragments=None, *, rows=4, columns=4, frames=1, extra=b""):
    """Return a file whose pixel data are these fragments, or 16 native bytes."""
    whole = file_bytes(
        np.zeros((1, 4, 4), np.uint8), NumberOfFrames="1", Rows=rows, Columns=columns
    )
    at = whole.rindex(b"\xe0\x7f\x10\0OB")
    head = whole[:at].replace(
        format_element(0x00280008, "IS", b"1"), format_element(0x00280008, "IS", b"%d" % frames)
    )
    native = format_element(0x00020010, "UI", EXPLICIT.encode())
    stated = format_element(0x00020010, "UI", uid.encode())
    length = int.from_bytes(head[140:144], "little") + len(stated) - len(native)
    head = head[:140] + struct.pack("<L", length) + head[144:].replace(native, stated)
    if fragments is None:
        return head + extra + format_element(0x7FE00010, "OB", bytes(16))
    pixels = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + _item(b"")
    return head + extra + pixels + b"".join(map(_item, fragments)) + SEQUENCE_END


def _deflated(*parts):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join((*(packer.compress(part) for part in parts), packer.flush()))


def _deflate_bomb():
    whole = _file(DEFLATED, extra=format_element(0x00090010, "LO", b"X"))
    start = 144 + int.from_bytes(whole[140:144], "little")
    return whole[:start] + _deflated(whole[start:], *[bytes(1 << 20)] * 120)


def _rle_bomb():
    header = struct.pack("<16L", 1, 64, *[0] * 14)
    return _file(RLE, [header + b"\x81\0" * (8 << 20)])


def _scan_bomb():
    stream = bytes(imagecodecs.jpeg8_encode(np.zeros((4, 4), np.uint8)))
    at = stream.index(b"\xff\xda")
    return _file(JPEG, [stream[:-2] + stream[at:-2] * 5000 + b"\xff\xd9"])


def _block_bomb():
    image = np.zeros((8192, 8192), np.uint8)
    stream = bytearray(
        imagecodecs.jpeg2k_encode(image, codecformat="J2K", level=0, reversible=True)
    )
    at = stream.index(b"\xff\x52")
    stream[at + 10 : at + 12] = b"\0\0"  # code blocks of 4 x 4
    return _file(JPEG_2000, [bytes(stream)], rows=8192, columns=8192)


def _small_jpeg_ls():
    return bytes(imagecodecs.jpegls_encode(np.zeros((4, 4), np.uint8), out=4096))


def _nested():
    opening = b"\x40\0\x75\x02SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\0\0\0\0" + SEQUENCE_END
    return _file(EXPLICIT, extra=opening * 5000 + closing * 5000)


def _tar_bomb():
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2 << 30
    stream = io.BytesIO()
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    stream.write(packer.compress(header.tobuf(tarfile.GNU_FORMAT)))
    for _ in range(64):
        stream.write(packer.compress(bytes(1 << 20)))
    return stream.getvalue() + packer.flush()


FILES = {
    "deflate.dcm": _deflate_bomb,
    "rle.dcm": _rle_bomb,
    "scans.dcm": _scan_bomb,
    "blocks.dcm": _block_bomb,
    "nested.dcm": _nested,
    "header.tar.gz": _tar_bomb,
    "huge.dcm": lambda: _file(JPEG_LS, [_small_jpeg_ls()], rows=65535, columns=65535, frames=1000),
    "frames.dcm": lambda: _file(JPEG_LS, [_small_jpeg_ls()] * 3),
    "stream.dcm": lambda: _file(
        JPEG_LS, [_small_jpeg_ls().replace(b"\0\4\0\4\1", b"\xff\xff\xff\xff\1", 1)]
    ),
    "deflated-frames.dcm": lambda: _file(
        DEFLATED_FRAMES, [_deflated(bytes(64 << 20))] * 40, rows=8192, columns=8192, frames=40
    ),
}


SAID = {
    "deflate.dcm": "inflates too far",
    "rle.dcm": "holds more than",
    "scans.dcm": "5001` scans",
    "blocks.dcm": "cannot hold 4194304 code blocks",
    "nested.dcm": "deeper than `64` levels",
    "header.tar.gz": "a header of `2147483648` bytes",
    "huge.dcm": "65535 x 65535 pixels",
    "frames.dcm": "`3` codestreams, but Number of Frames is 1",
    "stream.dcm": "`65535, 65535, 1`; the data set says",
    "deflated-frames.dcm": "are said to hold 40 frames",
}


@pytest.mark.parametrize("target", ["explicit", "htj2k"])
@pytest.mark.parametrize("name", FILES)
def test_hostile_file_is_a_clear_error(tmp_path, name, target):
    source = tmp_path / name
    source.write_bytes(FILES[name]())
    out = tmp_path / "out"
    command = [sys.executable, "-m", "imgconv", "transcode", str(source), "-o", str(out)]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command, "--to", target],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.monotonic() - began
    measured, told = done.stdout.split("\n", 1)
    memory_kb, code = measured.split()
    assert code == "4", told
    assert f"{name}: " in told
    assert SAID[name] in told
    assert "Traceback" not in told
    assert "Doe" not in told
    assert int(memory_kb) < MOST_KB
    assert seconds < MOST_SECONDS
    assert not [path for path in out.rglob("*") if path.is_file()]

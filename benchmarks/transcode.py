"""Compare `imgconv transcode` with dcmtk and GDCM: `make bench`.

The peers start one process for each file under ``xargs -P2``, since none of
them takes a folder. Every round runs all programs in turn; the figure is the
median of the ratios within a round, so that all of them meet the same machine.
The codec-only limit is what two processes take to encode the same frames,
read beforehand, without reading, writing, or checking anything.
"""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from benchmarks.scans import make_ct

from imgconv.codecs import EncodeOptions, encode_frame
from imgconv.dicom.splice import split_file
from imgconv.standard.transfer_syntaxes import find_transfer_syntax

ROUNDS = 3
JOBS = 2
IMGCONV = str(Path(sys.executable).parent / "imgconv")
PEERS = {
    "jpeg-ls": {"dcmtk": "dcmcjpls", "gdcm": "gdcmconv --jpegls"},
    "rle": {"dcmtk": "dcmcrle", "gdcm": "gdcmconv --rle"},
    "jpeg-lossless": {"dcmtk": "dcmcjpeg", "gdcm": "gdcmconv --jpeg"},
    "jpeg2000": {"gdcm": "gdcmconv --j2k"},
    "htj2k": {"dcmtk jpeg-ls": "dcmcjpls"},
}
BACK = {
    "jpeg-ls": {"dcmtk": "dcmdjpls", "gdcm": "gdcmconv --raw"},
    "rle": {"dcmtk": "dcmdrle", "gdcm": "gdcmconv --raw"},
    "jpeg-lossless": {"dcmtk": "dcmdjpeg", "gdcm": "gdcmconv --raw"},
    "jpeg2000": {"gdcm": "gdcmconv --raw"},
    "htj2k": {},
}


def make_cr(folder: Path, count: int = 20, rows: int = 2500, columns: int = 2000) -> None:
    """Write large radiographs: smooth, with noise in the lowest bits."""
    folder.mkdir(parents=True)
    y, x = np.mgrid[0:rows, 0:columns]
    smooth = 2000 + 900 * np.sin(x / 170) * np.cos(y / 230)
    rng = np.random.default_rng(3)
    for number in range(count):
        image = np.clip(smooth + rng.normal(0, 8, smooth.shape), 0, 4095).astype(np.uint16)
        _save(folder / f"{number:03}.dcm", image)


def make_us(folder: Path, frames: int = 200) -> None:
    """Write one cine loop in colour."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(4)
    fan = np.hypot(*np.mgrid[-100:380, -320:320]) < 350
    noise = rng.normal(90, 30, (frames // 10, 480, 640)) * fan
    grey = np.clip(noise, 0, 255).astype(np.uint8).repeat(10, axis=0)
    _save(folder / "loop.dcm", np.repeat(grey[..., None], 3, axis=-1), NumberOfFrames=frames)


def make_slide(folder: Path, tiles: int = 1000) -> None:
    """Write one tiled slide: many small colour frames."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    tissue = np.clip(rng.normal(200, 12, (16, 256, 256, 3)), 0, 255).astype(np.uint8)
    _save(folder / "slide.dcm", tissue[np.arange(tiles) % 16], NumberOfFrames=tiles)


def _save(path: Path, samples: np.ndarray, **attributes: object) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    colour = samples.shape[-1] == 3
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.SOPClassUID = SecondaryCaptureImageStorage
    data_set.SOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    data_set.SamplesPerPixel = 3 if colour else 1
    data_set.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        data_set.PlanarConfiguration = 0
    data_set.Rows, data_set.Columns = samples.shape[-3:-1] if colour else samples.shape[-2:]
    data_set.BitsAllocated = 8 * samples.dtype.itemsize
    data_set.BitsStored = 8 if colour else 12
    data_set.HighBit, data_set.PixelRepresentation = data_set.BitsStored - 1, 0
    for keyword, value in attributes.items():
        setattr(data_set, keyword, value)
    data_set.PixelData = samples.tobytes()
    data_set["PixelData"].VR = "OB" if colour else "OW"
    data_set.save_as(path, enforce_file_format=True)


def wall(command: list[str], out: Path) -> float:
    """Return the wall seconds of a command that fills an empty folder."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def ours(source: Path, out: Path, name: str, verify: str) -> list[str]:
    words = ["transcode", str(source), "-o", str(out), "--to", name, "--verify", verify, "-q"]
    return [IMGCONV, *words, "--jobs", str(JOBS)]


def theirs(source: Path, out: Path, tool: str) -> list[str]:
    line = f"ls {shlex.quote(str(source))} | xargs -P{JOBS} -I@ {tool} {source}/@ {out}/@"
    return ["sh", "-c", line]


def _encode(task: tuple[Path, str]) -> float:
    """Encode all frames of a file; return the seconds that this took."""
    path, name = task
    frames = split_file(path).frames
    samples = [frames.read(number) for number in range(frames.frame_count)]
    uid, pixel_format = find_transfer_syntax(name).uid, frames.decoded_format
    began = time.perf_counter()
    for array in samples:
        encode_frame(array, uid, pixel_format, EncodeOptions())
    return time.perf_counter() - began


def codec_limit(source: Path, name: str) -> float:
    """Return the seconds that two processes need for the codec alone."""
    with Pool(JOBS) as pool:
        return sum(pool.map(_encode, [(path, name) for path in sorted(source.iterdir())])) / JOBS


def compare(title: str, programs: dict[str, Callable[[Path], list[str]]], work: Path) -> None:
    """Print the wall time of each program, and ours as a part of each peer's."""
    runs: dict[str, list[float]] = {who: [] for who in programs}
    for _ in range(ROUNDS):
        for who, command in programs.items():
            out = work / who.replace(" ", "-")
            runs[who].append(wall(command(out), out))
    line = [f"{title:30}"]
    for who, times in runs.items():
        text = f"{who} {statistics.median(times):6.2f} s"
        if not who.startswith("imgconv"):
            ratio = statistics.median(a / b for a, b in zip(runs["imgconv"], times, strict=True))
            text += f" ({ratio:.2f})"
        line.append(text)
    print("; ".join(line), flush=True)


def _peers(tools: dict[str, str], source: Path) -> dict[str, Callable[[Path], list[str]]]:
    found = {who: tool for who, tool in tools.items() if shutil.which(tool.split()[0])}
    return {who: (lambda out, tool=tool: theirs(source, out, tool)) for who, tool in found.items()}


def run(name: str, source: Path, work: Path, title: str) -> None:
    """Compare encoding, with and without our check, and decoding."""
    programs = {
        "imgconv": lambda out: ours(source, out, name, "none"),
        "imgconv verified": lambda out: ours(source, out, name, "fast"),
        **_peers(PEERS[name], source),
    }
    compare(f"{title} to {name}", programs, work)
    print(f"{'':30}  codec alone {codec_limit(source, name):6.2f} s", flush=True)
    encoded = work / "encoded"
    wall(ours(source, encoded, name, "none"), encoded)
    back = {"imgconv": lambda out: ours(encoded, out, "explicit", "none")}
    compare(f"{title} from {name}", {**back, **_peers(BACK[name], encoded)}, work)


def main(folder: Path | None = None) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        data = folder or Path(scratch) / "data"
        makers = {"ct": make_ct, "cr": make_cr, "us": make_us, "slide": make_slide}
        for kind, make in makers.items():
            if not (data / kind).exists():
                make(data / kind)
        print(f"{os.cpu_count()} cores; medians of {ROUNDS} rounds; in brackets ours / theirs")
        for name in PEERS:
            run(name, data / "ct", Path(scratch) / "out", "CT x 300")
        run("jpeg-lossless", data / "cr", Path(scratch) / "out", "CR x 20")
        for kind, title in (("us", "US loop of 200"), ("slide", "slide of 1000 tiles")):
            run("jpeg-ls", data / kind, Path(scratch) / "out", title)
            run("rle", data / kind, Path(scratch) / "out", title)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)

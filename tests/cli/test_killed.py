"""`imgconv transcode` and `imgconv convert` killed at any point, and run again."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from imgconv.core.atomic import is_temporary

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
FILES = 12
ACQUISITIONS = 4


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    """CT slices of 256x256, in series of three."""
    folder = tmp_path_factory.mktemp("slices")
    data = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    pixels = np.kron(data.pixel_array, np.ones((2, 2), np.int16))
    noise = np.random.default_rng(1)
    data.Rows, data.Columns = pixels.shape
    for number in range(FILES):
        uid = f"1.2.3.{number + 1}"
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid
        data.SeriesInstanceUID = f"1.2.4.{number // 3 + 1}"
        data.SeriesNumber = number // 3 + 1
        data.InstanceNumber = number % 3 + 1
        data.ImagePositionPatient = [0, 0, 5.0 * (number % 3)]
        data.PixelData = (pixels + noise.integers(0, 16, pixels.shape, np.int16)).tobytes()
        data.save_as(folder / f"{number:03}.dcm")
    return folder


COMMANDS = {
    "transcode": ("--to", "jpeg2000", "-j", "2", "--resume"),
    "convert": ("--to", "nifti", "-j", "2"),
}


def start(command, source, target):
    words = [sys.executable, "-m", "imgconv", command, str(source), "-o", str(target)]
    return subprocess.Popen(
        [*words, *COMMANDS[command], "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr


def contents(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module", params=COMMANDS)
def undisturbed(request, slices, tmp_path_factory):
    """The command, what it makes if nobody kills it, and how long that takes."""
    target = tmp_path_factory.mktemp("undisturbed") / "out"
    began = time.monotonic()
    finish(start(request.param, slices, target))
    return request.param, contents(target), time.monotonic() - began


def wait_for(condition, limit_s=30):
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.01)


def kill_and_run_again(slices, undisturbed, target, share):
    command, expected, seconds = undisturbed
    process = start(command, slices, target)
    time.sleep(share * seconds)
    process.kill()
    process.communicate()
    for path in target.rglob("*") if target.exists() else ():
        if path.is_file() and not any(map(is_temporary, (path, *path.parents))):
            assert path.read_bytes() == expected[str(path.relative_to(target))], "half written"
    finish(start(command, slices, target))
    wait_for(lambda: contents(target).keys() == expected.keys())  # workers of the killed run end
    assert contents(target) == expected
    assert not [path for path in target.rglob("*") if is_temporary(path)]


@pytest.mark.parametrize("share", [0.5, 0.75, 0.9])
def test_killed_and_run_again_is_as_undisturbed(slices, undisturbed, tmp_path, share):
    kill_and_run_again(slices, undisturbed, tmp_path / "out", share)


@pytest.mark.slow
@pytest.mark.parametrize("point", range(50))
def test_killed_at_random_points_is_as_undisturbed(slices, undisturbed, tmp_path, point):
    share = random.Random(point).uniform(0.3, 1.0)
    kill_and_run_again(slices, undisturbed, tmp_path / "out", share)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_ends_with_130_and_leaves_nothing_half_done(
    slices, undisturbed, tmp_path, number
):
    command, expected, _ = undisturbed
    target = tmp_path / "out"
    process = start(command, slices, target)
    wait_for(lambda: target.exists() and any(target.iterdir()))
    if number is not signal.SIGTERM:  # as a terminal does it, on Ctrl-C and when it closes
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    left = contents(target)
    assert left == {name: expected.get(name) for name in left}
    assert not [path for path in target.rglob("*") if is_temporary(path)]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_disk_that_cannot_take_it_exits_5(slices, small_disk, command, fault):
    folder, make_read_only = small_disk
    filler = folder / "filler"
    if fault == "full":
        filler.write_bytes(b"x" * 1_000_000)
    else:
        make_read_only()
    process = start(command, slices, folder / "out")
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 5, stderr
    assert ("no space left" if fault == "full" else "read-only") in stderr
    assert "Traceback" not in stderr
    assert not [path for path in folder.rglob("*") if path.is_file() and path != filler]


def test_transcode_resumed_leaves_out_what_is_done(slices, tmp_path):
    target = tmp_path / "out"
    finish(start("transcode", slices, target))
    before = {path: path.stat().st_mtime_ns for path in target.iterdir()}
    victim = target / "003.dcm"
    victim.write_bytes(b"changed")
    finish(start("transcode", slices, target))
    after = {path: path.stat().st_mtime_ns for path in target.iterdir()}
    assert [path for path in before if before[path] != after[path]] == [victim]
    assert victim.stat().st_size > 1000

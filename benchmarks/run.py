"""Compare imgconv with its peers on inputs made here: `make bench`, or `run.py [FOLDER]`.

Each figure is the best of several runs, taken in turn with the peer's, so
that both meet the same machine. The peer is PyPI's dcm2niix.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import to_dicom, transcode, validate
from benchmarks.scans import make_ct, make_fmri
from benchmarks.timing import measure

RUNS = 3
BIN = Path(sys.executable).parent
IMGCONV = [str(BIN / "imgconv"), "convert", "--name", "x", "--overwrite", "always", "-q"]
DCM2NIIX = [str(BIN / "dcm2niix"), "-f", "x", "-w", "1"]


def peak_mib(command: Sequence[str]) -> float:
    """Return the most memory that a command and all its processes had at a time, in MiB.

    Pages that processes share count once (proportional set size), every 20 ms.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_pss_kib, _family(process.pid))))
        time.sleep(0.02)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak / 1024


def _family(pid: int) -> list[int]:
    """Return a process and its descendants; those of the fork server are among them."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    found = [pid]
    for one in found:  # grows while it is walked
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _pss_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def compare(title: str, ours: Sequence[str], theirs: Sequence[str], out: Path) -> None:
    best: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    sizes = {}
    for _ in range(RUNS):
        for who, command in (("theirs", theirs), ("ours", ours)):
            target = out / who
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            best[who].append(measure([*command, *(["-o", str(target)] if who == "ours" else [])]))
            sizes[who] = sum(path.stat().st_size for path in target.glob("x.nii*"))
    wall = {who: min(run[0] for run in runs) for who, runs in best.items()}
    spent = {who: min(run[1] for run in runs) for who, runs in best.items()}
    print(
        f"{title:28} wall {wall['ours']:6.2f} s, peer {wall['theirs']:6.2f} s: "
        f"{wall['theirs'] / wall['ours']:5.2f} times as fast; "
        f"cpu {spent['ours']:6.2f} s, peer {spent['theirs']:6.2f} s; "
        f"size {sizes['ours'] / max(1, sizes['theirs']):.3f} of the peer's"
    )


def peer(out: Path, *words: str) -> list[str]:
    return [*DCM2NIIX, "-o", str(out / "theirs"), *words]


def start_up() -> None:
    for words, budget in ((["--version"], 80), (["--help"], 150)):
        walls = [measure([IMGCONV[0], *words])[0] for _ in range(5 * RUNS)]
        print(f"imgconv {words[0]:20} wall {min(walls) * 1000:6.0f} ms; the budget is {budget} ms")


def memory(folder: Path, out: Path) -> None:
    """Peak memory of all processes: it must not grow with the number of series."""
    many = folder / "ct24"
    if not many.exists():
        for number in range(24):
            make_ct(many / f"{number:02}", slices=60)
    for jobs, count in ((1, 1), (2, 2), (2, 6), (2, 24)):
        sources = [str(many / f"{number:02}") for number in range(count)]
        target = str(out / f"memory{count}")
        command = [*IMGCONV, "--jobs", str(jobs), *sources, "-o", target]
        title = f"{count} series of 60 slices, {jobs} jobs"
        print(f"peak memory, {title:32} {peak_mib(command):6.0f} MiB")
        shutil.rmtree(target)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        out = Path(scratch) / "out"
        ct, fmri = folder / "ct", folder / "fmri"
        if not ct.exists():
            make_ct(ct)
        if not fmri.exists():
            make_fmri(fmri)
        start_up()
        gz = [*IMGCONV, str(ct)]
        compare("CT, 300 slices, -z i", gz, peer(out, "-z", "i", str(ct)), out)
        compare("CT, 300 slices, -z y (pigz)", gz, peer(out, "-z", "y", str(ct)), out)
        plain = [*gz, "--no-compress"]
        compare("CT, 300 slices, no gzip", plain, peer(out, "-z", "n", str(ct)), out)
        compare("fMRI, 5000 files", [*IMGCONV, str(fmri)], peer(out, "-z", "i", str(fmri)), out)
        memory(folder, out)
        to_dicom.main(folder)
        transcode.main(folder)
        validate.main(folder)


if __name__ == "__main__":
    main()

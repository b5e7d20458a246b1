"""Memory does not grow with the number of files."""

import subprocess
import sys

import pytest
from tests.unit.rules import objects

SCRIPT = """
import resource, sys
from imgconv.ops.validate import ValidateOptions, validate
if __name__ == "__main__":
    summary = validate([sys.argv[1]], ValidateOptions(jobs=2))
    print(summary.files, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def write(folder, count):
    for number in range(count):
        series, place = divmod(number, 200)
        dataset = objects.ct() | {
            "SOPInstanceUID": f"1.2.9.{number + 1}",
            "SeriesInstanceUID": f"1.2.8.{series + 1}",
            "StudyInstanceUID": f"1.2.7.{series + 1}",
            "InstanceNumber": str(place + 1),
            "ImagePositionPatient": ["0", "0", str(2.5 * place)],
        }
        target = folder / f"{series:04}"
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{place}.dcm").write_bytes(objects.encode_file(dataset))


def peak_mib(folder, count, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    files, peak = done.stdout.split()
    assert int(files) == count
    return int(peak)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_100000_files_cost_little_more_memory_than_1000(tmp_path):
    peaks = []
    for count in (1000, 100_000):
        folder = tmp_path / str(count)
        write(folder, count)
        peaks.append(peak_mib(folder, count, tmp_path))
    assert peaks[1] < peaks[0] + 64

"""`python -m imgconv.demo FOLDER`: convert the CT and MR series inside pydicom's wheel.

Shows what a newcomer would type, runs it, and looks at what came out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from imgconv.cli import main as imgconv
from imgconv.errors import InputError
from imgconv.exitcodes import ExitCode

__all__ = ["find_series", "main"]

# Below pydicom's test files: a study of CT and one of MR, cut down to 16x16 pixels.
_FOLDER = "dicomdirtests"
_STUDIES = ("98892001", "98892003")


def find_series() -> tuple[Path, ...]:
    """Return the folders of scanner data that come with pydicom.

    Raises
    ------
    InputError
        pydicom is not installed, or came without its test files.
    """
    found = find_spec("pydicom")
    if found is None or found.origin is None:
        raise InputError("pydicom is not installed", hint="pip install pydicom")
    root = Path(found.origin).parent / "data" / "test_files" / _FOLDER
    folders = tuple(root / name for name in _STUDIES)
    for folder in folders:
        if not folder.is_dir():
            raise InputError("pydicom came without its test files", path=folder)
    return folders


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo into a folder and return the exit code.

    Parameters
    ----------
    arguments
        The folder, ``demo-output`` if there is none.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    target = words[0] if words else "demo-output"
    try:
        sources = [str(folder) for folder in find_series()]
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    for command in (
        ["inspect", *sources],
        ["convert", *sources, "-o", target, "--overwrite", "if-different"],
        ["inspect", target],
    ):
        sys.stdout.write(f"\n$ imgconv {' '.join(command)}\n\n")
        sys.stdout.flush()
        code = imgconv(command)
        if code not in (ExitCode.DONE, ExitCode.SOME_FAILED):
            return code
    sys.stdout.write(f"\nThe volumes are in {target}; open one in any NIfTI viewer.\n")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())

"""Write _generated/elements.py: tag, VR and keyword of PS3.6.

Run ``python -m imgconv.standard._make_elements``. The facts come from
pydicom's copy of PS3.6 chapters 6 and 7 (tables 6-1, 7-1, 8-1).
"""

from __future__ import annotations

from pathlib import Path

from pydicom import __version__
from pydicom._dicom_dict import DicomDictionary

TARGET = Path(__file__).parent / "_generated/elements.py"

HEAD = f'''"""Data elements of PS3.6: tag, VR, keyword. Generated, do not edit.

Made by ``python -m imgconv.standard._make_elements`` with pydicom {__version__}.
One text, since it is compiled and loaded 20 times as fast as a dictionary.
"""

ELEMENTS = """\\
'''


def main() -> None:
    """Write the table."""
    lines = [HEAD]
    for tag, (vr, _vm, _name, _retired, keyword) in sorted(DicomDictionary.items()):
        if keyword and vr != "NONE":
            lines.append(f"{tag:08X} {vr.replace(' ', '_')} {keyword}\n")
    lines.append('"""\n')
    TARGET.write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main()

"""Cases of rules as data: what to change in a conformant object, and what must be found.

A case has ``base`` (or ``stack``, a number of slices; ``nested``, a depth; ``text`` and
``nifti``, files of other formats, the latter called ``name``), and
changes: ``set``, ``remove``, ``raw`` (hexadecimal),
``typed`` ({keyword = [VR, value]}), ``meta``, ``fragments`` of encapsulated pixel data,
``bytes`` ({cut, append, strip, replace, poke}), ``bare`` (no meta information); for a
stack ``file`` (which slice is changed, from 1), ``drop`` and ``each`` (keyword = one value per
slice, set before). Keys are keywords or paths
such as ``ContentSequence[0].ValueType``. A failing case may tell the ``tag`` and the
``severity``.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from tests.unit.rules import objects

from imgconv.core.finding import Finding
from imgconv.ops.validate import ValidateOptions, list_findings

FOLDER = Path(__file__).parents[2] / "cases" / "rules"
_STEP = re.compile(r"([\w,]+)\[(\d+)\]\.")


def load(rule: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{rule}.toml").read_text(encoding="utf-8"))


def _descend(dataset: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    while found := _STEP.match(path):
        dataset = dataset[found[1]][int(found[2])]
        path = path[found.end() :]
    return dataset, path


def _change(dataset: dict[str, Any], case: dict[str, Any]) -> None:
    for path in case.get("remove", ()):
        inner, name = _descend(dataset, path)
        del inner[name]
    for path, value in case.get("set", {}).items():
        inner, name = _descend(dataset, path)
        inner[name] = value
    for path, value in case.get("raw", {}).items():
        inner, name = _descend(dataset, path)
        inner[name] = objects.Raw(bytes.fromhex(value))
    for path, (vr, value) in case.get("typed", {}).items():
        inner, name = _descend(dataset, path)
        inner[name] = objects.Typed((vr, value))


def _change_bytes(data: bytes, how: dict[str, Any]) -> bytes:
    data = data[how.get("strip", 0) :]
    data = data[: len(data) - how.get("cut", 0)]
    for old, new in how.get("replace", ()):
        assert bytes.fromhex(old) in data
        data = data.replace(bytes.fromhex(old), bytes.fromhex(new), 1)
    for offset, text in how.get("poke", ()):
        new = bytes.fromhex(text)
        data = data[:offset] + new + data[offset + len(new) :]
    return data + bytes.fromhex(how.get("append", ""))


def write(case: dict[str, Any], folder: Path) -> None:
    """Write the files of a case."""
    if "text" in case or "nifti" in case:
        for name, text in case.get("text", {}).items():
            (folder / name).write_bytes(text.encode("latin-1"))
        if "nifti" in case:
            (folder / case.get("name", "a.nii")).write_bytes(objects.nifti(**case["nifti"]))
        return
    if "stack" in case:
        datasets = objects.stack(case["stack"])
        for name, values in case.get("each", {}).items():
            for dataset, value in zip(datasets, values, strict=True):
                dataset[name] = value
        _change(datasets[case.get("file", 1) - 1], case)
        for number in case.get("drop", ()):
            datasets[number - 1] = {}
    else:
        datasets = [
            objects.nested(case["nested"]) if "nested" in case else objects.BASES[case["base"]]()
        ]
        _change(datasets[0], case)
        if "fragments" in case:
            data = [bytes.fromhex(fragment) for fragment in case["fragments"]]
            datasets[0]["PixelData"] = objects.Fragments(data)
    if "beside" in case:
        datasets.append(objects.BASES[case["beside"]]())
    meta = {name: value or None for name, value in case.get("meta", {}).items()}
    for number, dataset in enumerate(datasets):
        if dataset:
            data = objects.encode_file(dataset, meta, bare=case.get("bare", False))
            if "bytes" in case and number == 0:
                data = _change_bytes(data, case["bytes"])
            (folder / f"{number + 1}.dcm").write_bytes(data)


def find(case: dict[str, Any], folder: Path) -> list[Finding]:
    """Write a case and return what is found in it."""
    write(case, folder)
    options = ValidateOptions(profiles=(case.get("profile", "dicom"),), jobs=1)
    return list_findings([folder], options)

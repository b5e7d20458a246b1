"""Generate the tables of the standard: ``python -m imgconv.standard.build``.

The structure (IODs, modules, attributes and their types) comes from the
package highdicom, value multiplicities and retired marks from pydicom. What no
package carries (conditions, value sets, Table E.1-1) stands in ``_facts/``:
facts only, stamped with their edition. The same inputs give the same bytes.

Source
------
PS3.3 annex A and C, PS3.6 chapters 6 to 8
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["build_iods", "build_multiplicities", "build_sop_classes", "main", "write_generated"]

_HERE = Path(__file__).parent
_Facts = dict[str, Any]


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _tag_path(keywords: list[str]) -> list[str] | None:
    """Return eight hex digits per keyword, None if pydicom does not know one."""
    from pydicom.datadict import tag_for_keyword

    tags = [tag_for_keyword(keyword) for keyword in keywords]
    return None if None in tags else [f"{tag:08X}" for tag in tags if tag is not None]


def _row_facts(facts: _Facts, module: str, path: list[str], kind: str) -> tuple[str, _Facts]:
    """Return the type and the extras (condition, value sets) of one attribute row."""
    exact = facts["row"].get(module, {}).get("/".join(path))
    if exact is not None:
        return exact[0], facts["pool"][exact[1]]
    parent = path[-2] if len(path) > 1 else ""
    found = facts["default"].get(f"{parent}/{path[-1]}/{kind}")
    if found is None:
        return kind, {}
    return (found[0] if len(found) > 1 else kind), facts["pool"][found[-1]]


def _module_tree(facts: _Facts, module: str, rows: list[_Facts]) -> _Facts:
    """Return tag -> [type, extras, children] for a module's rows."""
    root: _Facts = {}
    for row in rows:
        path = _tag_path([*row["path"], row["keyword"]])
        if path is None:  # newer than pydicom's dictionary
            continue
        kind, extras = _row_facts(facts, module, path, row["type"])
        node = root
        for tag in path[:-1]:
            node = node.setdefault(tag, ["3", {}, {}])[2]
        place = node.setdefault(path[-1], ["3", {}, {}])
        place[0] = kind if kind != "None" else "3"  # the source tells no type
        place[1] = extras
    return root


class _Sets:
    """Attribute tables, each stored once however often it is nested."""

    def __init__(self) -> None:
        self.tables: list[_Facts] = []
        self._numbers: dict[str, int] = {}

    def add(self, node: _Facts) -> int:
        """Return the number of the table for `node`, children first."""
        table: _Facts = {}
        for tag in sorted(node):
            kind, extras, children = node[tag]
            row = dict(extras)
            if children:
                row["s"] = self.add(children)
            table[tag] = [kind, row] if row else [kind]
        key = json.dumps(table, sort_keys=True)
        if key not in self._numbers:
            self._numbers[key] = len(self.tables)
            self.tables.append(table)
        return self._numbers[key]


def build_iods() -> str:
    """Return the text of ``_generated/iods.json``.

    ``module``: name -> number of its table in ``set``. A table is
    ``{tag: [type, {c, e, d, s}]}``: condition, enumerated values, defined
    terms, number of the table of the sequence's items.
    """
    import highdicom

    structure = Path(highdicom.__file__).parent / "_standard"
    facts = _load(_HERE / "_facts" / "conditions.json")
    modules = _load(structure / "module_attribute_map.json")
    sets = _Sets()
    numbers = {name: sets.add(_module_tree(facts, name, modules[name])) for name in sorted(modules)}
    iods: _Facts = {}
    for iod, rows in sorted(_load(structure / "iod_module_map.json").items()):
        conditions = facts["module_condition"].get(iod, {})
        iods[iod] = {
            "modules": [
                [
                    row["key"],
                    row["usage"],
                    *([conditions[row["key"]]] if row["key"] in conditions else []),
                ]
                for row in rows
            ]
        }
        if iod in facts["functional_groups"]:
            iods[iod]["functional_groups"] = facts["functional_groups"][iod]
    tables = {
        "edition": facts["edition"],
        "sop_class": _load(structure / "sop_class_iod_map.json"),
        "iod": iods,
        "module": numbers,
        "set": sets.tables,
    }
    return json.dumps(tables, sort_keys=True, separators=(",", ":")) + "\n"


def build_multiplicities() -> str:
    """Return the text of ``_generated/multiplicities.json``.

    Tag -> [VM, retired], for the elements that are not plainly ``1`` and current.
    """
    from pydicom._dicom_dict import DicomDictionary  # its only public view is tag by tag

    rows = {
        f"{tag:08X}": [vm, bool(retired)]
        for tag, (_vr, vm, _name, retired, _keyword) in sorted(DicomDictionary.items())
        if vm != "1" or retired
    }
    return json.dumps(rows, separators=(",", ":")) + "\n"


def build_sop_classes() -> str:
    """Return the text of ``_generated/sop_classes.json``: UID -> [keyword, name, retired]."""
    from pydicom._uid_dict import UID_dictionary

    rows = {
        uid: [keyword, name, retired == "Retired"]
        for uid, (name, kind, _info, retired, keyword) in sorted(UID_dictionary.items())
        if kind == "SOP Class" and (".5.1.4." in uid or ".1.1.4.1.1." in uid)
    }
    return json.dumps(rows, separators=(",", ":")) + "\n"


# Context groups that an attribute names as defined (DCID), whose members are checked.
_GROUPS = (19, 20, 21, 4014, 4015)


def build_codes() -> str:
    """Return the text of ``_generated/codes.json``.

    ``DCM``: the codes of DICOM's own scheme; ``groups``: context group -> ``SCHEME:VALUE`` of
    its members, in SNOMED CT and in the SNOMED RT that it replaced.
    """
    from pydicom.sr._cid_dict import cid_concepts
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping

    groups: dict[str, list[str]] = {}
    for group in _GROUPS:
        members = set()
        for scheme, keywords in cid_concepts[group].items():
            for keyword in keywords:
                for value, (_meaning, used) in concepts[scheme][keyword].items():
                    if group in used:
                        members.add(f"{scheme}:{value}")
                        if scheme == "SCT" and value in mapping["SCT"]:
                            members.add(f"SRT:{mapping['SCT'][value]}")
        groups[str(group)] = sorted(members)
    own = sorted({value for found in concepts["DCM"].values() for value in found})
    tables = {"DCM": " ".join(own), "edition": "2024c", "groups": groups}
    return json.dumps(tables, sort_keys=True, separators=(",", ":")) + "\n"


GENERATED = {
    "codes.json": build_codes,
    "iods.json": build_iods,
    "multiplicities.json": build_multiplicities,
    "sop_classes.json": build_sop_classes,
}


def main(arguments: list[str]) -> int:
    """Write the tables; with ``--check`` only compare, and return 1 if one is stale."""
    return write_generated(_HERE / "_generated", GENERATED, check="--check" in arguments)


def write_generated(
    folder: Path, builders: Mapping[str, Callable[[], str]], *, check: bool = False
) -> int:
    """Write the files that are stale, and say which; `check` only says, and returns 1 if any is.

    Parameters
    ----------
    builders
        File name -> what returns its text.
    """
    texts = {name: build() for name, build in builders.items()}
    stale = [name for name, text in texts.items() if not _holds(folder / name, text)]
    if not check:
        for name in stale:
            (folder / name).write_text(texts[name], encoding="utf-8")
    sys.stdout.write(("changed: " + ", ".join(stale) if stale else "up to date") + "\n")
    return int(check and bool(stale))


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

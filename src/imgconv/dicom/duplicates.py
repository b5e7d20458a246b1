"""Find files that hold the same image twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import Header
from imgconv.dicom.plan import Outcome, Problem
from imgconv.dicom.slices import Slice
from imgconv.errors import CorruptData, InputError

__all__ = ["drop_duplicates"]


def drop_duplicates(slices: Iterable[Slice]) -> tuple[list[Slice], list[Problem]]:
    """Leave out files that repeat another one.

    Two files are duplicates if they have the same number, place and timing,
    and equal pixels. Files that share a SOP Instance UID but not the pixels
    contradict each other: both are kept if anything else differs, else the
    later one fails.

    Returns
    -------
    tuple
        The slices that stay, and one problem per file that does not.
    """
    slices = list(slices)
    groups: dict[tuple[object, ...], list[Header]] = defaultdict(list)
    counts = Counter(item.header.path for item in slices)
    for item in slices:
        if item.frame == 0 and item.tile <= 0:
            groups[counts[item.header.path], *_key(item)].append(item.header)
    problems: list[Problem] = []
    for headers in groups.values():
        if len(headers) > 1:
            problems += _compare(headers)
    gone = {path for problem in problems for path in problem.paths}
    return [item for item in slices if item.header.path not in gone], problems


def _key(item: Slice) -> tuple[object, ...]:
    return (
        item.order[0],
        item.rows,
        item.columns,
        item.pixels[:-1],
        item.position,
        item.orientation,
        item.echo_time,
        item.kind,
        item.variant,
        item.timing,
        item.rescale,
    )


def _compare(headers: list[Header]) -> list[Problem]:
    kept: list[tuple[Header, str, bytes]] = []
    problems: list[Problem] = []
    stored = len({header.transfer_syntax_uid for header in headers}) == 1
    for header in sorted(headers, key=lambda each: str(each.path)):
        uid = str(header.get("SOPInstanceUID", ""))
        numbered = header.get("InstanceNumber") is not None
        try:
            pixels = _digest(header, stored=stored)
        except InputError as error:
            problems.append(_failed(header.path, "unreadable-pixels", error))
            continue
        finally:
            header.release()
        same = [other for other in kept if other[2] == pixels and (numbered or other[1] == uid)]
        clash = [other for other in kept if uid and other[1] == uid]
        if same:
            problems.append(
                Problem(
                    (header.path,),
                    Outcome.SKIPPED,
                    "duplicate",
                    f"the same image as `{same[0][0].path.name}`",
                )
            )
        elif clash:
            clashing = _contradiction(clash[0][0], header)
            problems.append(_failed(header.path, "contradictory-duplicate", clashing))
        else:
            kept.append((header, uid, pixels))
    return problems


def _digest(header: Header, *, stored: bool) -> bytes:
    """Hash the pixels: as stored, or decoded where the files are encoded in different ways."""
    import hashlib  # 3 ms, and few series have duplicates

    digest = hashlib.blake2b()
    if stored:
        digest.update(header.read_pixel_bytes())
    else:
        for frame in FrameReader.from_header(header):
            digest.update(np.ascontiguousarray(frame).data)
    return digest.digest()


def _contradiction(first: Header, second: Header) -> CorruptData:
    return CorruptData(
        f"has the SOP Instance UID and the place of `{first.path.name}`, but other pixels",
        path=second.path,
    )


def _failed(path: Path, reason: str, error: InputError) -> Problem:
    return Problem((path,), Outcome.FAILED, reason, error.message, error)

"""One image as the sidecar's sections see it: what several of them need to know.

Source
------
PS3.3 C.8.3.1 (MR image), C.8.13.5 (MR macros)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Any

from imgconv.dicom.modality import modality_of
from imgconv.dicom.vendors.component import Component, find_component
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.dicom.vendors.ge import Ge, ge_fields, ge_slice_times
from imgconv.dicom.vendors.identity import Vendor, find_vendor
from imgconv.dicom.vendors.philips import philips_fields
from imgconv.dicom.vendors.siemens import Siemens, siemens_fields, siemens_slice_times
from imgconv.dicom.vendors.timing import acquisition_seconds, relative_times
from imgconv.dicom.vendors.uih import uih_fields, uih_slice_times
from imgconv.records import record

__all__ = ["View"]

# Nominal and measured times agree within that: clocks tick in ms, and drift.
_SAME_TIME = 0.01
# Intervals that vary more than that are not one repetition time.
_REGULAR = 0.02
_COARSE_TICK_SECONDS = 1.0


@record(slots=False)
class View:
    """An image with what several sections need to know about it."""

    acquisition: Acquisition

    @cached_property
    def facts(self) -> Facts:
        """The frame that was acquired first."""
        return self.acquisition.first

    @cached_property
    def vendor(self) -> Vendor:
        """Who made the scanner."""
        return find_vendor(self.facts)

    @cached_property
    def component(self) -> Component:
        """Magnitude, phase, real or imaginary part, or field map."""
        return find_component(self.facts)

    @cached_property
    def modality(self) -> str:
        """With what it was acquired, by the SOP class if the header does not say."""
        return modality_of(self.facts.header)

    @property
    def is_mr(self) -> bool:
        """Whether it is magnetic resonance."""
        return self.modality == "MR"

    @cached_property
    def siemens(self) -> Siemens:
        """The frame, as Siemens describes it."""
        return Siemens(self.facts)

    @cached_property
    def excitation_time(self) -> float | None:
        """Repetition Time in s, with the pause that GE leaves out of it."""
        milliseconds = self.facts.number("RepetitionTime")
        if not milliseconds:
            return None
        pause = Ge(self.facts).group_delay() if self.vendor is Vendor.GE else 0.0
        return milliseconds / 1000 + max(pause, 0.0)

    @cached_property
    def repetition_time(self) -> float | None:
        """From one volume to the next in s: as the volumes' times say, else Repetition Time."""
        nominal, measured = self.excitation_time, self._volume_interval()
        if measured is None:
            return nominal
        if nominal is not None and abs(measured - nominal) <= _SAME_TIME * nominal:
            return nominal
        return measured

    @cached_property
    def volume_times(self) -> tuple[float, ...]:
        """When each volume begins, in s after the first; empty if unknown.

        Mosaics and enhanced objects state the real repetition; of single
        slices, one place is compared.
        """
        frames = [volume[0] for volume in self.acquisition.frames]
        if len(frames) < 2 or self.acquisition.is_tiled or self.facts.groups or not self.is_mr:
            return ()
        times = [acquisition_seconds(frame) for frame in frames]
        known = relative_times([time for time in times if time is not None])
        is_rising = all(before < after for before, after in pairwise(known))
        return known if is_rising and len(known) == len(frames) else ()

    @cached_property
    def _steps(self) -> tuple[float, ...]:
        return tuple(after - before for before, after in pairwise(self.volume_times))

    @property
    def is_irregular(self) -> bool:
        """Whether the intervals between volumes vary, by more than clocks without fractions do."""
        return bool(self._steps) and max(self._steps) - min(self._steps) > _COARSE_TICK_SECONDS

    def _volume_interval(self) -> float | None:
        if not self._steps:
            return None
        mean = sum(self._steps) / len(self._steps)
        return mean if max(self._steps) - min(self._steps) <= _REGULAR * mean else None

    @cached_property
    def slice_times(self) -> tuple[float, ...] | None:
        """When each slice starts, in s after the first, in array order; None if unknown."""
        if not self.is_mr or self.facts.text("MRAcquisitionType") == "3D":
            return None
        if self.acquisition.slice_count < 2:
            return None
        find = _SLICE_TIMES.get(self.vendor)
        return None if find is None else find(self)

    @cached_property
    def vendor_fields(self) -> dict[str, Any]:
        """The fields of the vendor's private attributes."""
        if not self.is_mr:
            return {}
        make = _VENDOR_FIELDS.get(self.vendor)
        return {} if make is None else make(self)

    @cached_property
    def phase_axis(self) -> str:
        """``"i"`` or ``"j"``, empty if unknown."""
        direction = self.facts.text("InPlanePhaseEncodingDirection")
        return {"ROW": "i", "COL": "j", "COLUMN": "j"}.get(direction, "")

    @cached_property
    def is_positive(self) -> bool | None:
        """Whether phase encoding runs with rising index; None if unknown."""
        if self.vendor is Vendor.SIEMENS:
            return self.siemens.is_positive_phase_encoding()
        if self.vendor is Vendor.GE:
            flipped = Ge(self.facts).is_flipped()
            return None if flipped is None else not flipped
        return None

    @cached_property
    def acquired_lines(self) -> int:
        """Phase encoding lines of the acquisition matrix, 0 if unknown."""
        matrix = self.facts.numbers("AcquisitionMatrix")
        lines = max(matrix[2:4]) if len(matrix) == 4 else 0
        if not lines:
            lines = self.facts.number("MRAcquisitionPhaseEncodingStepsInPlane") or 0
        if not lines and self.vendor is Vendor.SIEMENS:
            lines = self.siemens.protocol_number("sKSpace.lPhaseEncodingLines") or 0
        return int(lines)

    @cached_property
    def recon_lines(self) -> int:
        """The image's length in the phase encoding direction, 0 if unknown."""
        columns, rows, _slices = self.acquisition.size_ijk
        if columns == rows:
            return rows
        return {"i": columns, "j": rows}.get(self.phase_axis, self.acquired_lines)


_SLICE_TIMES: dict[Vendor, Callable[[View], tuple[float, ...] | None]] = {
    Vendor.SIEMENS: lambda view: siemens_slice_times(view.acquisition, view.repetition_time),
    Vendor.GE: lambda view: ge_slice_times(view.acquisition),
    Vendor.UIH: lambda view: uih_slice_times(view.acquisition, view.repetition_time),
}
_VENDOR_FIELDS: dict[Vendor, Callable[[View], dict[str, Any]]] = {
    Vendor.SIEMENS: lambda view: siemens_fields(
        view.acquisition, view.slice_times, is_phase=view.component is Component.PHASE
    ),
    Vendor.GE: lambda view: ge_fields(view.acquisition),
    Vendor.PHILIPS: lambda view: philips_fields(view.acquisition),
    Vendor.UIH: lambda view: uih_fields(view.acquisition),
}

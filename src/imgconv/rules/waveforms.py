"""Family P: waveforms against their description (P015).

Source
------
PS3.3 C.10.9 (waveform module): data, sample interpretation, channel definitions
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Item
from imgconv.rules.instance import Hit, Instance

__all__ = ["check_waveforms"]

_WAVEFORMS, _DATA = 0x54000100, 0x54001010
_CHANNELS, _SAMPLES, _DEFINITIONS = 0x003A0005, 0x003A0010, 0x003A0200
_ALLOCATED, _INTERPRETATION = 0x54001004, 0x54001006
# Sample interpretation -> bits of a sample.
_BITS = {
    "SB": 8, "UB": 8, "MB": 8, "AB": 8, "SS": 16, "US": 16, "SL": 32, "UL": 32, "SV": 64, "UV": 64,
}  # fmt: skip


def check_waveforms(instance: Instance) -> Iterator[Hit]:
    """Check channels, samples and bits of each multiplex group against its data (P015)."""
    if not instance.is_truncated:
        for group in instance.dataset.items_of(_WAVEFORMS):
            yield from _check_group(group)


def _check_group(group: Item) -> Iterator[Hit]:
    channels, samples = group.integer(_CHANNELS), group.integer(_SAMPLES)
    allocated, interpretation = group.integer(_ALLOCATED), group.text(_INTERPRETATION)
    defined = group.get(_DEFINITIONS)
    if channels is not None and defined is not None and len(defined.items or ()) != channels:
        message = "NumberOfWaveformChannels is not the number of channel definitions"
        yield Hit("P015", message, group.path_to(_CHANNELS))
    if interpretation and interpretation not in _BITS:
        message = f"WaveformSampleInterpretation is not one of {', '.join(_BITS)}"
        yield Hit("P015", message, group.path_to(_INTERPRETATION), interpretation)
    elif interpretation and allocated is not None and allocated != _BITS[interpretation]:
        message = f"WaveformBitsAllocated is {allocated}; {interpretation} has another size"
        yield Hit("P015", message, group.path_to(_ALLOCATED))
        return
    data = group.get(_DATA)
    if data is None or None in (channels, samples, allocated):
        return
    expected = ((channels or 0) * (samples or 0) * (allocated or 0) + 7) // 8
    if len(data.value) not in (expected, expected + expected % 2):
        relation = "shorter" if len(data.value) < expected else "longer"
        message = f"the waveform is {relation} than channels, samples and bits say"
        yield Hit("P015", message, data.path, f"{len(data.value)} bytes, expected {expected}")

"""Paint masks into label volumes, as few as there can be without painting over a label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import UnsupportedData

__all__ = ["MAX_LAYERS", "Layers"]

MAX_LAYERS = 4096


class Layers:
    """Volumes of labels, one more whenever a segment fits in none of them."""

    def __init__(self, shape: tuple[int, int, int], largest: int) -> None:
        self._shape = shape
        self._dtype = np.dtype(np.uint8 if largest <= 255 else np.uint16)
        self.volumes: list[NDArray[Any]] = []

    def place(self, masks: dict[int, NDArray[np.bool_]], number: int, first: int) -> int:
        """Paint `masks` (by slice) with a label; return the layer, `first` or a later one."""
        layer = first
        while True:
            while layer >= len(self.volumes):
                self._grow()
            volume = self.volumes[layer]
            if not any((volume[k][mask] != 0).any() for k, mask in masks.items()):
                break
            layer += 1
        for k, mask in masks.items():
            volume[k][mask] = number
        return layer

    def _grow(self) -> None:
        if len(self.volumes) >= MAX_LAYERS:
            raise UnsupportedData(f"more than {MAX_LAYERS} layers of segments are not read")
        self.volumes.append(np.zeros(self._shape, self._dtype))

    def array(self) -> NDArray[Any]:
        """Return the one volume ``(k, j, i)``, or all of them ``(t, k, j, i)``."""
        if not self.volumes:
            self._grow()
        return self.volumes[0] if len(self.volumes) == 1 else np.stack(self.volumes)

"""How much larger than its compressed form something may become before it is taken for a bomb.

Nobody can tell a bomb from an empty image by looking. So up to some size
everything is fine; beyond, what claims to hold more than real data of its
kind ever did is refused, if possible before a byte of it is unpacked.
"""

from __future__ import annotations

from imgconv.records import record

__all__ = ["ARCHIVE", "DATA_SET", "DEFLATED_FRAMES", "FRAME", "FRAMES", "ICONS", "Expansion"]


@record
class Expansion:
    """A limit on what compressed bytes may become.

    Parameters
    ----------
    free_bytes
        What is always fine.
    ratio
        How many times its compressed size anything larger may have.
    """

    free_bytes: int
    ratio: int

    def limit(self, compressed_bytes: int) -> int:
        """Return how many bytes so many compressed ones may become."""
        return max(self.free_bytes, self.ratio * compressed_bytes)

    def allows(self, expanded_bytes: int, compressed_bytes: int) -> bool:
        """Whether so many bytes may come out of so many compressed ones."""
        return expanded_bytes <= self.limit(compressed_bytes)


# Images shrink to a third by deflating, masks to a hundredth, zeros alone to a thousandth.
DATA_SET = Expansion(96 << 20, 300)
# Scanner data in archives compress 2 to 20 times.
ARCHIVE = Expansion(1 << 29, 200)
# Some codecs take next to nothing for a blank image. But nobody has a large one of these,
# while a decoder would allocate it for a stream of a few bytes.
FRAME = Expansion(128 << 20, 200)
# All frames of a file: stacks of mostly blank masks shrink some hundred times.
FRAMES = Expansion(1 << 30, 2000)
DEFLATED_FRAMES = Expansion(1 << 30, 300)
# All icons of a file, which are held in memory; real ones have some 10 kB each.
ICONS = Expansion(32 << 20, 4)

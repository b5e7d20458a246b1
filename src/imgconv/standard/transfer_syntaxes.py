"""Every transfer syntax of the standard, as plain data.

Source
------
PS3.6 Table A-1 (UIDs, names, retired); PS3.5 Annex A (byte order, VR, encapsulation)
"""

from __future__ import annotations

from imgconv.records import record

__all__ = [
    "BY_UID",
    "EXPLICIT_LITTLE",
    "GE_PRIVATE",
    "IMPLICIT_LITTLE",
    "JPEG_XL_RECOMPRESSION",
    "TRANSFER_SYNTAXES",
    "TransferSyntax",
    "find_transfer_syntax",
]

_BASE = "1.2.840.10008.1.2"
IMPLICIT_LITTLE = _BASE
EXPLICIT_LITTLE = _BASE + ".1"
JPEG_XL_RECOMPRESSION = _BASE + ".4.111"  # holds a JPEG stream as it is; nothing more is lost
# Of GE's old consoles: implicit VR little endian but for the pixels. Not in PS3.6, but in archives.
GE_PRIVATE = "1.2.840.113619.5.2"


@record
class TransferSyntax:
    """One transfer syntax.

    Parameters
    ----------
    uid, name
        As in PS3.6.
    family
        The codec family that its frames need; ``native`` if none; empty for
        what is no still image data set (video, JPIP, real-time streams).
    aliases
        Names that people say, for the command line; the first is ours.
    explicit_vr, little_endian, deflated
        How the data set is encoded.
    encapsulated
        Pixel data is in fragments.
    lossless, lossy
        Which kinds of compression it permits; both are False for native ones.
    retired
        PS3.6 says so.
    """

    uid: str
    name: str
    family: str = ""
    aliases: tuple[str, ...] = ()
    explicit_vr: bool = True
    little_endian: bool = True
    deflated: bool = False
    encapsulated: bool = True
    lossless: bool = False
    lossy: bool = False
    retired: bool = False

    @property
    def always_lossy(self) -> bool:
        """Whether it permits nothing but lossy compression."""
        return self.lossy and not self.lossless

    @property
    def big_endian_pixels(self) -> bool:
        """Whether native samples are big endian."""
        return not self.little_endian or self.uid == GE_PRIVATE


def _native(suffix: str, name: str, *aliases: str, **flags: bool) -> TransferSyntax:
    return TransferSyntax(_BASE + suffix, name, "native", aliases, encapsulated=False, **flags)


def _codec(suffix: str, name: str, family: str, *aliases: str, **flags: bool) -> TransferSyntax:
    return TransferSyntax(_BASE + suffix, name, family, aliases, **flags)


def _retired(
    number: int, name: str, *, family: str = "jpeg", lossless: bool = False
) -> TransferSyntax:
    return TransferSyntax(
        f"{_BASE}.4.{number}", name, family, lossless=lossless, lossy=not lossless, retired=True
    )


def _video(suffix: str, name: str) -> TransferSyntax:
    return TransferSyntax(_BASE + suffix, name, "video", lossy=True)


def _no_image(suffix: str, name: str, *, retired: bool = False, **flags: bool) -> TransferSyntax:
    return TransferSyntax(
        _BASE + suffix, name, "", (), encapsulated=False, retired=retired, **flags
    )


TRANSFER_SYNTAXES: tuple[TransferSyntax, ...] = (
    _native("", "Implicit VR Little Endian", "implicit", "ivrle", explicit_vr=False),
    _native(".1", "Explicit VR Little Endian", "explicit", "evrle", "uncompressed", "raw"),
    _codec(
        ".1.98",
        "Encapsulated Uncompressed Explicit VR Little Endian",
        "native",
        "encapsulated",
        "encapsulated-uncompressed",
        lossless=True,
    ),
    _native(".1.99", "Deflated Explicit VR Little Endian", "deflated", "deflate", deflated=True),
    _native(
        ".2", "Explicit VR Big Endian", "big-endian", "evrbe", little_endian=False, retired=True
    ),
    _codec(".4.50", "JPEG Baseline (Process 1)", "jpeg", "jpeg", "jpeg-baseline", lossy=True),
    _codec(
        ".4.51",
        "JPEG Extended (Process 2 and 4)",
        "jpeg",
        "jpeg-extended",
        "jpeg-12bit",
        lossy=True,
    ),
    _retired(52, "JPEG Extended (Process 3 and 5)"),
    _retired(53, "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)"),
    _retired(54, "JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)"),
    _retired(55, "JPEG Full Progression, Non-Hierarchical (Process 10 and 12)"),
    _retired(56, "JPEG Full Progression, Non-Hierarchical (Process 11 and 13)"),
    _codec(
        ".4.57",
        "JPEG Lossless, Non-Hierarchical (Process 14)",
        "jpeg-lossless",
        "jpeg-lossless-p14",
        lossless=True,
    ),
    _retired(58, "JPEG Lossless, Non-Hierarchical (Process 15)", lossless=True),
    _retired(59, "JPEG Extended, Hierarchical (Process 16 and 18)"),
    _retired(60, "JPEG Extended, Hierarchical (Process 17 and 19)"),
    _retired(61, "JPEG Spectral Selection, Hierarchical (Process 20 and 22)"),
    _retired(62, "JPEG Spectral Selection, Hierarchical (Process 21 and 23)"),
    _retired(63, "JPEG Full Progression, Hierarchical (Process 24 and 26)"),
    _retired(64, "JPEG Full Progression, Hierarchical (Process 25 and 27)"),
    _retired(65, "JPEG Lossless, Hierarchical (Process 28)", lossless=True),
    _retired(66, "JPEG Lossless, Hierarchical (Process 29)", lossless=True),
    _codec(
        ".4.70",
        "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])",
        "jpeg-lossless",
        "jpeg-lossless",
        "jpeg-lossless-sv1",
        lossless=True,
    ),
    _codec(
        ".4.80", "JPEG-LS Lossless Image Compression", "jpeg-ls", "jpeg-ls", "jpegls", lossless=True
    ),
    _codec(
        ".4.81",
        "JPEG-LS Lossy (Near-Lossless) Image Compression",
        "jpeg-ls",
        "jpeg-ls-near",
        "jpeg-ls-lossy",
        lossless=True,
        lossy=True,
    ),
    _codec(
        ".4.90",
        "JPEG 2000 Image Compression (Lossless Only)",
        "jpeg2000",
        "jpeg2000",
        "jpeg2000-lossless",
        "j2k",
        lossless=True,
    ),
    _codec(
        ".4.91",
        "JPEG 2000 Image Compression",
        "jpeg2000",
        "jpeg2000-lossy",
        "j2k-lossy",
        lossless=True,
        lossy=True,
    ),
    _codec(
        ".4.92",
        "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)",
        "jpeg2000-part2",
        lossless=True,
    ),
    _codec(
        ".4.93",
        "JPEG 2000 Part 2 Multi-component Image Compression",
        "jpeg2000-part2",
        lossless=True,
        lossy=True,
    ),
    _no_image(".4.94", "JPIP Referenced"),
    _no_image(".4.95", "JPIP Referenced Deflate", deflated=True),
    _video(".4.100", "MPEG2 Main Profile / Main Level"),
    _video(".4.100.1", "Fragmentable MPEG2 Main Profile / Main Level"),
    _video(".4.101", "MPEG2 Main Profile / High Level"),
    _video(".4.101.1", "Fragmentable MPEG2 Main Profile / High Level"),
    _video(".4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1"),
    _video(".4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1"),
    _video(".4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1"),
    _video(".4.103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1"),
    _video(".4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video"),
    _video(".4.104.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video"),
    _video(".4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video"),
    _video(".4.105.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video"),
    _video(".4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2"),
    _video(".4.106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2"),
    _video(".4.107", "HEVC/H.265 Main Profile / Level 5.1"),
    _video(".4.108", "HEVC/H.265 Main 10 Profile / Level 5.1"),
    _codec(
        ".4.110", "JPEG XL Lossless", "jpeg-xl", "jpeg-xl", "jpeg-xl-lossless", "jxl", lossless=True
    ),
    _codec(
        ".4.111",
        "JPEG XL JPEG Recompression",
        "jpeg-xl",
        "jpeg-xl-recompression",
        "jxl-jpeg",
        lossy=True,
    ),
    _codec(".4.112", "JPEG XL", "jpeg-xl", "jpeg-xl-lossy", "jxl-lossy", lossless=True, lossy=True),
    _codec(
        ".4.201",
        "High-Throughput JPEG 2000 Image Compression (Lossless Only)",
        "htj2k",
        "htj2k",
        "htj2k-lossless",
        lossless=True,
    ),
    _codec(
        ".4.202",
        "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)",
        "htj2k",
        "htj2k-rpcl",
        lossless=True,
    ),
    _codec(
        ".4.203",
        "High-Throughput JPEG 2000 Image Compression",
        "htj2k",
        "htj2k-lossy",
        lossless=True,
        lossy=True,
    ),
    _no_image(".4.204", "JPIP HTJ2K Referenced"),
    _no_image(".4.205", "JPIP HTJ2K Referenced Deflate", deflated=True),
    _codec(".5", "RLE Lossless", "rle", "rle", "rle-lossless", lossless=True),
    _no_image(".6.1", "RFC 2557 MIME encapsulation", retired=True),
    _no_image(".6.2", "XML Encoding", retired=True),
    _no_image(".7.1", "SMPTE ST 2110-20 Uncompressed Progressive Active Video"),
    _no_image(".7.2", "SMPTE ST 2110-20 Uncompressed Interlaced Active Video"),
    _no_image(".7.3", "SMPTE ST 2110-30 PCM Digital Audio"),
    _codec(
        ".8.1",
        "Deflated Image Frame Compression",
        "deflated-frame",
        "deflated-frame",
        "deflated-image-frame",
        lossless=True,
    ),
    TransferSyntax(
        "1.2.840.10008.1.20",
        "Papyrus 3 Implicit VR Little Endian",
        "native",
        explicit_vr=False,
        encapsulated=False,
        retired=True,
    ),
)

BY_UID = {syntax.uid: syntax for syntax in TRANSFER_SYNTAXES}
BY_UID[GE_PRIVATE] = TransferSyntax(
    GE_PRIVATE, "GE private (big-endian pixels)", "native", explicit_vr=False, encapsulated=False
)
_BY_ALIAS = {alias: syntax for syntax in TRANSFER_SYNTAXES for alias in syntax.aliases}


def find_transfer_syntax(name: str) -> TransferSyntax | None:
    """Return the transfer syntax that a UID or one of our names means, or None."""
    return BY_UID.get(name) or _BY_ALIAS.get(name.lower())

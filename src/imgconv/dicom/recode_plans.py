"""Plan how a file is written in another transfer syntax, and write it.

There are three ways: pixel data are carried over (`Carried`), their
codestreams are recompressed (`Recompressed`), or each frame is decoded,
encoded, checked and written (`Frames`), one by one or a few at a time by threads.

Source
------
PS3.5 8.2, A.4; PS3.3 C.7.6.3
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import field, replace
from typing import IO, Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from imgconv.codecs.encode import EncodeOptions, EncodeTask, plan_encoding, run_encoder
from imgconv.codecs.jpeg_xl import pack_jpeg, unpack_jpeg
from imgconv.codecs.select import decode_frame, find_decoder, find_encoder, find_second_decoder
from imgconv.core.large_output import EarlyFlush
from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import parse_header
from imgconv.dicom.icons import decode_nested, has_nested_frames
from imgconv.dicom.lossy import (
    RATIO_PLACEHOLDER,
    Step,
    derive_frame_types,
    describe_lossy,
    format_ratio,
    lossy_changes,
    mark_lossy,
)
from imgconv.dicom.pixel_digest import PixelDigest, digest_all, join_bits
from imgconv.dicom.pixel_writer import needs_extended_table, write_encapsulated, write_native
from imgconv.dicom.reencode import format_element, reencode, swap_bytes
from imgconv.dicom.scan import EXPLICIT_LITTLE
from imgconv.dicom.splice import FileParts, encoding_of, format_meta, patched
from imgconv.dicom.uids import UidMaker
from imgconv.errors import CorruptData, InternalError, UnsupportedData
from imgconv.records import record
from imgconv.spec import CodecSpec
from imgconv.standard.transfer_syntaxes import BY_UID, JPEG_XL_RECOMPRESSION, TransferSyntax
from imgconv.standard.transfer_syntaxes import EXPLICIT_LITTLE as EXPLICIT_LITTLE_UID

__all__ = [
    "RECOMPRESSIONS",
    "Carried",
    "Frames",
    "Plan",
    "RecodeOptions",
    "Recoded",
    "Recompressed",
    "Verify",
]

_CHUNK = 8 << 20
# What frames that are worked on, or wait to be written, may take; each is there some times:
# as samples, coded, decoded again.
_IN_FLIGHT_BYTES = 384 << 20
_COPIES = 3
_DEFLATE_LEVEL = 2  # of isal: ten times as fast as zlib, 7 % larger
_BASE = "1.2.840.10008.1.2"
# Recompression that keeps the compressed samples as they are, bit by bit.
RECOMPRESSIONS: dict[tuple[str, str], Callable[[bytes], bytes]] = {
    (_BASE + ".4.50", JPEG_XL_RECOMPRESSION): pack_jpeg,
    (JPEG_XL_RECOMPRESSION, _BASE + ".4.50"): unpack_jpeg,
}
# What an encoder made of RGB, undone by every decoder: no names for native samples.
_OF_CODESTREAMS = ("YBR_RCT", "YBR_ICT", "XYB")
_EXTENDED_TABLES: dict[int, bytes | None] = {0x7FE00001: None, 0x7FE00002: None}


class Verify:
    """How frames are checked after encoding."""

    NONE = "none"
    FAST = "fast"  # decode and compare each frame
    FULL = "full"  # the same by a second library as well
    ALL = (NONE, FAST, FULL)


@record
class RecodeOptions:
    """How a file is recoded.

    Parameters
    ----------
    target
        Transfer syntax UID.
    encode
        The quality of a lossy target.
    verify
        One of `Verify`.
    keep_sop_instance_uid
        Whether a lossy result keeps the SOP Instance UID.
    choice
        Pairs of codec family and library.
    digests
        Whether the SHA-256 of the decoded pixels is wanted.
    threads
        How many frames are worked on at a time.
    """

    target: str
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    verify: str = Verify.FAST
    keep_sop_instance_uid: bool = False
    choice: tuple[tuple[str, str], ...] = ()
    digests: bool = False
    threads: int = 1


@record
class Recoded:
    """What was done to a file.

    Parameters
    ----------
    frame_count
        0 if the file has no pixel data.
    decoder, encoder
        ``family=library``; empty if frames were carried over as they were.
    verified
        What the check was, in words.
    pixel_digest
        SHA-256 of the decoded pixels: little endian, colour by pixel, frame
        after frame, without padding; empty if it was not wanted.
    sop_instance_uid
        The new one of a lossy result, else empty.
    size_bytes
        Of the new file.
    warnings
        What was not as it should be.
    """

    frame_count: int
    decoder: str = ""
    encoder: str = ""
    verified: str = ""
    pixel_digest: str = ""
    sop_instance_uid: str = ""
    size_bytes: int = 0
    warnings: tuple[str, ...] = ()


class Plan:
    """Common to all ways to write a file: everything but the pixel data element."""

    def __init__(self, parts: FileParts, options: RecodeOptions) -> None:
        self.parts = parts
        self.options = options
        self.syntax: TransferSyntax = BY_UID[options.target]
        self.changes: dict[int, bytes | None] = {}
        self.sop_instance_uid = ""
        self.warnings = list(parts.warnings)

    def write(self, stream: IO[bytes]) -> Recoded:
        """Write the whole file."""
        meta = self.parts.meta or _made_meta(self.parts)
        changed = (
            {"sop_instance_uid": self.sop_instance_uid.encode()} if self.sop_instance_uid else {}
        )
        stream.write(format_meta(self.parts.preamble, meta, self.options.target, **changed))
        if self.syntax.deflated:
            return self._write_deflated(stream)
        before = self._encoded(patched(self.parts.before, self.changes))
        ratio_at = before.find(RATIO_PLACEHOLDER)
        before_at = stream.tell()
        stream.write(before)
        done, ratio = self.write_pixels(stream)
        stream.write(self._encoded(self.parts.after))
        if ratio_at >= 0:
            stream.seek(before_at + ratio_at)
            stream.write(ratio)
            stream.seek(0, 2)
        return self._report(done)

    def _report(self, done: Recoded) -> Recoded:
        return replace(done, sop_instance_uid=self.sop_instance_uid, warnings=tuple(self.warnings))

    def _write_deflated(self, stream: IO[bytes]) -> Recoded:
        packer = isal_zlib.compressobj(_DEFLATE_LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
        sink = _Sink(lambda data: stream.write(packer.compress(data)))
        sink.write(patched(self.parts.before, self.changes))
        done, _ratio = self.write_pixels(sink)  # type: ignore[arg-type]  # native: only write is used
        sink.write(self.parts.after)
        stream.write(packer.flush())
        if stream.tell() % 2:
            stream.write(b"\0")  # PS3.5 A.5
        return self._report(done)

    def _encoded(self, data: bytes) -> bytes:
        encoding = encoding_of(self.syntax)
        signed = self.parts.header.get("PixelRepresentation") == 1
        return reencode(data, 0, len(data), EXPLICIT_LITTLE, encoding, signed=signed)

    def write_pixels(self, stream: IO[bytes]) -> tuple[Recoded, bytes]:
        """Write the pixel data element; return what was done, and the ratio as a DS."""
        raise NotImplementedError


@record(frozen=False)
class _Sink:
    """Something that can be written to, and nothing else."""

    write: Callable[[bytes], object]


class Carried(Plan):
    """Native pixel data, or none: the value is carried over, its byte order is changed."""

    def write_pixels(self, stream: IO[bytes]) -> tuple[Recoded, bytes]:
        """Write the pixel data element; return what was done, and the ratio as a DS."""
        frames = self.parts.frames
        if frames is None:
            return Recoded(0), b""
        offset, length = self.parts.value
        needed = (frames.pixel_format.frame_bits * frames.frame_count + 7) // 8
        if needed > length:
            raise CorruptData(
                f"pixel data have `{length}` bytes; {frames.frame_count} frames need {needed}"
            )
        vr = self.parts.pixel_vr
        swap = frames.syntax.big_endian_pixels == self.syntax.little_endian
        word = vr if self.parts.syntax.explicit_vr else "OW"
        if word == "OW":  # samples of 32 bits are swapped as such, which is what readers expect
            word = {32: "OL", 64: "OV"}.get(frames.pixel_format.bits_allocated, word)

        def chunks() -> Iterator[bytes]:
            for start in range(offset, offset + length, _CHUNK):
                data = self.parts.read(start, min(_CHUNK, offset + length - start))
                yield swap_bytes(data, word) if swap else data

        write_native(
            stream.write,
            chunks(),
            length,
            tag=self.parts.pixel_tag,
            vr=vr,
            encoding=encoding_of(self.syntax),
        )
        digest = digest_all(frames) if self.options.digests else ""
        return Recoded(frames.frame_count, verified="carried over", pixel_digest=digest), b""


class Recompressed(Plan):
    """JPEG streams that become JPEG XL, and back: the samples are not touched."""

    def __init__(
        self, parts: FileParts, options: RecodeOptions, recompress: Callable[[bytes], bytes]
    ) -> None:
        super().__init__(parts, options)
        self._recompress = recompress
        self._inverse = unpack_jpeg if recompress is pack_jpeg else None
        self.changes = dict(_EXTENDED_TABLES)

    def write_pixels(self, stream: IO[bytes]) -> tuple[Recoded, bytes]:
        """Write the pixel data element; return what was done, and the ratio as a DS."""
        frames = frames_of(self.parts)

        def encoded() -> Iterator[bytes]:
            for number in range(frames.frame_count):
                raw = frames.raw(number)
                data = self._recompress(raw)
                if (
                    self._inverse
                    and self.options.verify != Verify.NONE
                    and not raw.startswith(self._inverse(data).rstrip(b"\0"))
                ):
                    raise InternalError(f"frame {number + 1} does not come back as the same JPEG")
                yield data

        write_encapsulated(stream, encoded(), frames.frame_count)
        digest = digest_all(frames) if self.options.digests else ""
        verified = "same JPEG stream" if self.options.verify != Verify.NONE else ""
        name = "jpeg-xl=imagecodecs"
        return Recoded(frames.frame_count, name, name, verified, digest), b""


class Frames(Plan):
    """The usual case: each frame is decoded and encoded."""

    def __init__(self, parts: FileParts, options: RecodeOptions) -> None:
        super().__init__(parts, options)
        self.frames = frames_of(parts)
        choice = dict(options.choice)
        self._declared = (
            _declared_colour(parts) or self.frames.pixel_format.photometric_interpretation
        )
        if self._declared.startswith("YBR_PARTIAL"):
            raise UnsupportedData(
                f"`{self._declared}` (retired) has no name for samples that were decoded",
                hint="choose `--skip-compressed`"
                if parts.syntax.encapsulated
                else "choose `--to deflated`",
            )
        if self.frames.pixel_format.is_subsampled and not parts.syntax.encapsulated:
            raise UnsupportedData(
                "uncompressed YBR_FULL_422 pixel data have no compressed form without change",
                hint="choose `--to deflated`",
            )
        self.source = self.frames.decoded_format
        planar = self.frames.pixel_format.planar_configuration
        self.task: EncodeTask = plan_encoding(
            self.source, options.target, options.encode, planar_configuration=planar
        )
        self.decoder: CodecSpec = find_decoder(parts.syntax.uid, choice)
        self.encoder: CodecSpec = find_encoder(options.target, choice)
        self.is_lossy = bool(options.encode.given) and options.encode.near != 0
        self.checkers = self._find_checkers()
        self._plan_changes()

    def _find_checkers(self) -> tuple[CodecSpec, ...]:
        if self.is_lossy or self.options.verify == Verify.NONE:
            return ()
        first = find_decoder(self.options.target)
        if self.options.verify == Verify.FAST:
            return (first,)
        return (first, find_second_decoder(self.options.target, first))

    def _plan_changes(self) -> None:
        before, after = self.frames.pixel_format, self.task.target
        self.changes = {**_EXTENDED_TABLES, 0x7FE00000: None}
        label = before.photometric_interpretation
        if label in _OF_CODESTREAMS and not self.parts.syntax.encapsulated:
            self.warnings.append(
                f"native pixel data is never `{label}` (PS3.5 8.2); its samples are taken for RGB"
            )
        if self._declared != before.photometric_interpretation:
            self.warnings.append(
                f"Photometric Interpretation is `{self._declared}`, "
                "but there is chroma for every column"
            )
        if self._declared != after.photometric_interpretation:
            name = after.photometric_interpretation.encode()
            self.changes[0x00280004] = format_element(0x00280004, "CS", name)
        if before.planar_configuration != after.planar_configuration:
            planar = after.planar_configuration.to_bytes(2, "little")
            self.changes[0x00280006] = format_element(0x00280006, "US", planar)
        if self.frames.contradiction:
            self.warnings.append(self.frames.contradiction)
        if beyond := self._bytes_beyond():
            self.warnings.append(f"{beyond} bytes behind the last frame were dropped")
        if self.is_lossy:
            self._plan_lossy()
        elif self.parts.header.get("LossyImageCompression") != "01" and (
            step := self._lossy_step()
        ):
            self.changes.update(mark_lossy(self.parts.header, step))
            self.warnings.append("Lossy Image Compression was not declared; it is `01` now")
        if self.parts.syntax.encapsulated and has_nested_frames(self.parts.before):
            self.parts.before = decode_nested(self.parts.before, self.parts.syntax.uid)
            self.warnings.append("an icon was decompressed: its encoding was that of the file")

    def _bytes_beyond(self) -> int:
        """Return how many bytes native pixel data have too many, padding left aside.

        Raises
        ------
        CorruptData
            They are whole frames.
        """
        length = self.parts.value[1]
        bits, count = self.frames.pixel_format.frame_bits, self.frames.frame_count
        needed = (bits * count + 7) // 8
        beyond = max(0, length - needed - needed % 2)
        held = 8 * length // bits
        if beyond and held > count and length - (bits * held + 7) // 8 <= 1:
            raise CorruptData(
                f"pixel data hold {held} frames, but Number of Frames is `{count}`",
                hint="correct Number of Frames, or choose `--to deflated`, which keeps all bytes",
            )
        return beyond

    def _plan_lossy(self) -> None:
        parts, options = self.parts, self.options
        explicit = format_meta(parts.preamble, {}, EXPLICIT_LITTLE_UID) + parts.before
        attributes = parse_header(explicit, parts.path)
        quality = options.encode.quality_text
        if not options.keep_sop_instance_uid:
            # The same input and options give the same UID: a second run makes no new instance.
            maker = UidMaker(
                "imgconv transcode", attributes.get("SOPInstanceUID", ""), options.target
            )
            self.sop_instance_uid = maker.make("instance", quality, *options.choice)
        parts.before = derive_frame_types(parts.before)
        self.changes.update(
            lossy_changes(
                attributes,
                self.syntax.family,
                describe_lossy(self.syntax.name, quality),
                sop_instance_uid=self.sop_instance_uid,
                before=self._lossy_step(),
            )
        )

    def _lossy_step(self) -> Step | None:
        """Return how the source was lossy compressed, None if it was not."""
        if not self.frames.is_lossy:
            return None
        size = sum(length for _, length in self.frames.fragments.spans)
        raw = self.frames.pixel_format.frame_bits * self.frames.frame_count // 8
        return Step(self.parts.syntax.family, format_ratio(raw, size).decode().strip())

    def write_pixels(self, stream: IO[bytes]) -> tuple[Recoded, bytes]:
        """Write the pixel data element; return what was done, and the ratio as a DS."""
        digest = PixelDigest(self.source) if self.options.digests else None
        count = self.frames.frame_count
        raw_bytes = (self.source.frame_bits * count + 7) // 8
        with EarlyFlush(stream) as early:
            ratio = self._write_frames(stream, early.follow(self._made(digest)), raw_bytes)
        done = Recoded(
            count,
            decoder=self.decoder.name,
            encoder=self.encoder.name,
            verified=", ".join(f"decoded by {spec.name}" for spec in self.checkers),
            pixel_digest=digest.hexdigest() if digest else "",
        )
        return done, ratio

    def _write_frames(self, stream: IO[bytes], made: Iterator[bytes], raw_bytes: int) -> bytes:
        count = self.frames.frame_count
        if self.syntax.encapsulated:
            extended = needs_extended_table(raw_bytes, count)
            size = write_encapsulated(stream, made, count, extended=extended)
            return format_ratio(raw_bytes, size)
        vr = "OW" if self.source.bits_allocated > 8 else "OB"
        target = self.task.target
        if target.bits_allocated == 1:
            made = join_bits(made, target)
        write_native(stream.write, made, raw_bytes, vr=vr, encoding=encoding_of(self.syntax))
        return b""

    def _made(self, digest: PixelDigest | None) -> Iterator[bytes]:
        """Yield the encoded frames in order; at most a few are in memory."""
        numbers = range(self.frames.frame_count)
        room = max(1, _IN_FLIGHT_BYTES // self.source.array_bytes)
        threads = min(self.options.threads, room // _COPIES)
        if threads < 2 or len(numbers) < 2:
            for number in numbers:
                samples, data = self._frame(number)
                if digest:
                    digest.update(samples)
                yield data
            return
        with ThreadPoolExecutor(threads) as pool:
            waiting: deque[Future[tuple[NDArray[Any], bytes]]] = deque()
            for number in numbers:
                waiting.append(pool.submit(self._frame, number))
                if len(waiting) > min(2 * threads, room // 2):
                    yield self._taken(waiting, digest)
            while waiting:
                yield self._taken(waiting, digest)

    @staticmethod
    def _taken(
        waiting: deque[Future[tuple[NDArray[Any], bytes]]], digest: PixelDigest | None
    ) -> bytes:
        samples, data = waiting.popleft().result()
        if digest:
            digest.update(samples)
        return data

    def _frame(self, number: int) -> tuple[NDArray[Any], bytes]:
        samples = self.frames.read(number)
        data = run_encoder(self.encoder, samples, self.task)
        for spec in self.checkers:
            again = decode_frame(
                data, self.options.target, self.task.target, choice={spec.family: spec.library}
            )
            if not np.array_equal(again, samples):
                raise InternalError(
                    f"frame {number + 1} encoded by `{self.encoder.name}` is not the same "
                    f"when `{spec.name}` decodes it"
                )
        return samples, data


def _declared_colour(parts: FileParts) -> str:
    value = parts.header.get("PhotometricInterpretation")
    return value.strip(" \0") if isinstance(value, str) else ""


def frames_of(parts: FileParts) -> FrameReader:
    if parts.frames is None:
        raise InternalError("no pixel data")
    return parts.frames


def _made_meta(parts: FileParts) -> dict[int, bytes]:
    """Return the meta information of a file that had none; PS3.10 7.1."""
    from imgconv.dicom.uids import IMPLEMENTATION_CLASS_UID

    header = parts.header
    values = {
        0x00020002: (header.raw(0x00080016) or b"").strip(b" \0"),
        0x00020003: (header.raw(0x00080018) or b"").strip(b" \0"),
        0x00020012: IMPLEMENTATION_CLASS_UID.encode(),
    }
    made = {0x00020001: format_element(0x00020001, "OB", b"\0\1")}
    made.update({tag: format_element(tag, "UI", value) for tag, value in values.items()})
    return made

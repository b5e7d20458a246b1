"""Make UIDs for what imgconv writes, all under one documented root.

The root is ``2.25``: what follows is a UUID as one decimal number, so that no
registration is needed and nobody else can make the same one. Without a seed a
UID is random. With a seed it is the digest of the seed, the source, the
target object and the role, so that a second run gives the same UIDs, while CT
and MR made of one source differ.

Source: PS3.5 B.2; ITU-T X.667.
"""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from imgconv.errors import output_error
from imgconv.records import record

if TYPE_CHECKING:
    from imgconv.core.image import Image

__all__ = ["IMPLEMENTATION_CLASS_UID", "ROOT", "UidMaker", "digest_source", "uid_of_digest"]

ROOT = "2.25"

_BLOCK_BYTES = 1 << 20


def uid_of_digest(data: bytes) -> str:
    """Return the UID of 16 bytes, marked as a name-based UUID (RFC 9562, version 8)."""
    return f"{ROOT}.{uuid.UUID(bytes=data[:16], version=5).int}"


# Names imgconv in the file meta information of every file that it writes; PS3.7 D.3.3.2.
IMPLEMENTATION_CLASS_UID = uid_of_digest(hashlib.sha256(b"imgconv implementation class").digest())


@record
class UidMaker:
    """A source of UIDs for one output object.

    Parameters
    ----------
    seed
        The user's seed, empty for random UIDs.
    source
        A digest of the input, see `digest_source`.
    target
        The name of the object that is made.
    """

    seed: str = ""
    source: str = ""
    target: str = ""

    def make(self, role: str, *parts: object) -> str:
        """Return the UID of `role` ("series", "instance" ...), told apart by `parts`."""
        if not self.seed:
            return f"{ROOT}.{uuid.uuid4().int}"
        return self.make_shared(role, self.source, self.target, *parts)

    def make_shared(self, role: str, *parts: object) -> str:
        """Return a UID that depends on the seed, `role` and `parts`, but not on source or target.

        Two inputs of one study get one Study Instance UID that way.
        """
        if not self.seed:
            return f"{ROOT}.{uuid.uuid4().int}"
        # Lengths in front keep ("a", "bc") and ("ab", "c") apart.
        words = [str(word).encode() for word in (self.seed, role, *parts)]
        text = b"".join(len(word).to_bytes(8, "big") + word for word in words)
        return uid_of_digest(hashlib.sha256(text).digest())


def digest_source(image: Image) -> str:
    """Return a digest of where an image came from: of its files, else of its samples.

    Raises
    ------
    OutputError
        A source file cannot be read any more.
    """
    digest = hashlib.sha256()
    known = [source for source in image.sources if source.sha256 or source.path.is_file()]
    for source in known:
        digest.update((source.sha256 or _digest_file(source.path)).encode())
        digest.update(source.sop_instance_uid.encode())
    # Several images may come of one file: a name or the shape tells them apart.
    digest.update(f"{image.name}{image.axes}{image.array.shape}{image.dtype}".encode())
    if image.geometry is not None:
        digest.update(image.geometry.affine.tobytes())
    if not known:
        for volume in image.iter_volumes():
            digest.update(volume.tobytes())
    return digest.hexdigest()


def _digest_file(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise output_error(error, path) from error
    return digest.hexdigest()

"""The formats that imgconv brings, one row each; it imports nothing heavy."""

from __future__ import annotations

from imgconv.spec import Capabilities, FormatSpec, Magic

__all__ = ["FORMATS"]

_NUMBERS = (
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float32",
    "float64",
)

FORMATS: tuple[FormatSpec, ...] = (
    FormatSpec(
        name="dicom",
        title="DICOM (PS3.10 files, series)",
        extensions=(".dcm", ".dicom", ".ima"),
        magic=(Magic(b"DICM", 128),),
        probe="imgconv.dicom.scan:looks_like_dicom",
        read="imgconv.dicom.reader:read_images",
        check="imgconv.dicom.writer:check",
        write="imgconv.dicom.writer:write",
        gathers=True,
        capabilities=Capabilities(
            dtypes=("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"),
            max_dims=4,
            geometry=True,
            sheared=True,
            rescale=True,
            colour=True,
            gradients=True,
            segments=True,
            metadata=True,
        ),
    ),
    FormatSpec(
        name="nifti",
        title="NIfTI-1 and NIfTI-2",
        extensions=(".nii.gz", ".nii"),
        magic=(Magic(b"n+1\0", 344), Magic(b"ni1\0", 344), Magic(b"n+2\0", 4), Magic(b"ni2\0", 4)),
        read="imgconv.formats.nifti:read",
        check="imgconv.formats.nifti:check",
        write="imgconv.formats.nifti:write",
        capabilities=Capabilities(
            dtypes=_NUMBERS,
            max_dims=4,
            geometry=True,
            sheared=True,
            rescale=True,
            colour=True,
            gradients=True,
            metadata=False,
        ),
    ),
    FormatSpec(
        name="nrrd",
        title="NRRD (nearly raw raster data)",
        extensions=(".nrrd", ".nhdr"),
        magic=(Magic(b"NRRD000"),),
        read="imgconv.formats.nrrd:read",
        check="imgconv.formats.nrrd:check",
        write="imgconv.formats.nrrd:write",
        capabilities=Capabilities(
            dtypes=_NUMBERS,
            max_dims=4,
            geometry=True,
            sheared=True,
            colour=True,
            gradients=True,
            segments=True,
        ),
    ),
    FormatSpec(
        name="metaimage",
        title="MetaImage (ITK)",
        extensions=(".mha", ".mhd"),
        probe="imgconv.formats._probes:looks_like_metaimage",
        read="imgconv.formats.metaimage:read",
        check="imgconv.formats.metaimage:check",
        write="imgconv.formats.metaimage:write",
        capabilities=Capabilities(
            dtypes=_NUMBERS, max_dims=4, geometry=True, sheared=True, colour=True
        ),
    ),
    FormatSpec(
        name="npz",
        title="NumPy archive with geometry (.npz)",
        extensions=(".npz",),
        probe="imgconv.formats._probes:looks_like_npz",
        read="imgconv.formats.numpy_file:read",
        check="imgconv.formats.numpy_file:check_npz",
        write="imgconv.formats.numpy_file:write_npz",
        capabilities=Capabilities(
            dtypes=_NUMBERS, max_dims=4, geometry=True, sheared=True, rescale=True, colour=True
        ),
    ),
    FormatSpec(
        name="npy",
        title="NumPy array (.npy)",
        extensions=(".npy",),
        magic=(Magic(b"\x93NUMPY"),),
        read="imgconv.formats.numpy_file:read",
        check="imgconv.formats.numpy_file:check_npy",
        write="imgconv.formats.numpy_file:write_npy",
        capabilities=Capabilities(dtypes=_NUMBERS, max_dims=4, colour=True),
    ),
    FormatSpec(
        name="png",
        title="PNG",
        extensions=(".png",),
        magic=(Magic(b"\x89PNG\r\n\x1a\n"),),
        read="imgconv.formats.raster.png:read",
        capabilities=Capabilities(dtypes=("uint8", "uint16"), max_dims=2, colour=True),
    ),
    FormatSpec(
        name="jpegls",
        title="JPEG-LS",
        extensions=(".jls",),
        magic=(Magic(b"\xff\xd8\xff\xf7"),),
        read="imgconv.formats.raster.codestream:read_jpegls",
        capabilities=Capabilities(dtypes=("uint8", "uint16"), max_dims=2, colour=True),
    ),
    FormatSpec(
        name="jpeg",
        title="JPEG",
        extensions=(".jpg", ".jpeg", ".jpe", ".jfif"),
        magic=(Magic(b"\xff\xd8\xff"),),
        read="imgconv.formats.raster.jpeg:read",
        capabilities=Capabilities(dtypes=("uint8",), max_dims=2, colour=True),
    ),
    FormatSpec(
        name="jpeg2000",
        title="JPEG 2000 and HTJ2K",
        extensions=(".jp2", ".j2k", ".j2c", ".jpc", ".jph", ".jhc"),
        magic=(Magic(b"\0\0\0\x0cjP  \r\n\x87\n"), Magic(b"\xff\x4f\xff\x51")),
        read="imgconv.formats.raster.codestream:read_jpeg2000",
        capabilities=Capabilities(
            dtypes=("uint8", "int8", "uint16", "int16"), max_dims=2, colour=True
        ),
    ),
    FormatSpec(
        name="jpegxl",
        title="JPEG XL",
        extensions=(".jxl",),
        magic=(Magic(b"\xff\x0a"), Magic(b"\0\0\0\x0cJXL \r\n\x87\n")),
        read="imgconv.formats.raster.codestream:read_jpegxl",
        capabilities=Capabilities(dtypes=("uint8", "uint16"), max_dims=2, colour=True),
    ),
    FormatSpec(
        name="tiff",
        title="TIFF and BigTIFF",
        extensions=(".tif", ".tiff"),
        magic=(Magic(b"II*\0"), Magic(b"MM\0*"), Magic(b"II+\0"), Magic(b"MM\0+")),
        read="imgconv.formats.raster.tiff:read",
        capabilities=Capabilities(dtypes=_NUMBERS, max_dims=3, colour=True),
    ),
    FormatSpec(
        name="webp",
        title="WebP",
        extensions=(".webp",),
        magic=(Magic(b"WEBP", 8),),
        read="imgconv.formats.raster.pillow:read_webp",
        capabilities=Capabilities(dtypes=("uint8",), max_dims=2, colour=True),
    ),
    FormatSpec(
        name="bmp",
        title="Windows bitmap",
        extensions=(".bmp", ".dib"),
        probe="imgconv.formats._probes:looks_like_bmp",
        read="imgconv.formats.raster.pillow:read_bmp",
        capabilities=Capabilities(dtypes=("uint8",), max_dims=2, colour=True),
    ),
)

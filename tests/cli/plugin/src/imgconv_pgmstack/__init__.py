"""Describe the format; this module imports nothing heavy, so listing it is cheap."""

from imgconv.spec import Capabilities, FormatSpec, Magic

SPEC = FormatSpec(
    name="pgmstack",
    title="A stack of grey slices, for tests",
    extensions=(".pgms",),
    magic=(Magic(b"PGMSTACK"),),
    read="imgconv_pgmstack.stack:read",
    check="imgconv_pgmstack.stack:check",
    write="imgconv_pgmstack.stack:write",
    capabilities=Capabilities(dtypes=("uint8", "uint16", "int16"), max_dims=3),
    provider="imgconv-pgmstack",
)

"""DICOM data sets, frames, series, vendors, and the bridges to `Image`."""

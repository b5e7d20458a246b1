"""One module per kind of DICOM object that imgconv writes."""

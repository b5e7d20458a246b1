"""Tables of the standard and plain-string UIDs."""

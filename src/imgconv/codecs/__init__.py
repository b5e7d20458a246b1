"""Bytes to samples and back: one table of every transfer syntax, one module per family."""

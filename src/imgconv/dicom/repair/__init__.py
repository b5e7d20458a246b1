"""Mend what is wrong in a DICOM file, element by element, and say what was done.

Each module has one family of repairs: functions of a `Tree` that change it in
place and return the list of `Change`s. Nothing is invented: what has no one
right value is returned as a change that was not done.
"""

"""Tables written by the scripts beside this package; never edited by hand."""

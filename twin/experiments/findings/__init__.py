"""Published findings, tested on the twin: a folder each, with verdict rules fixed before the
run."""

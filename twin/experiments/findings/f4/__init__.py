"""Finding 4: too few embedding dimensions favour the popular."""

"""Finding 3: the link between two works decides whether their ratings converge."""

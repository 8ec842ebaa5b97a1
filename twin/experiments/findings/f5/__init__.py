"""Finding 5: collisions of IDs in fixed tables hurt."""

"""Finding 2: reward models per person remove averaging."""

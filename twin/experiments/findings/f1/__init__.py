"""Finding 1: feeds are persuasion infrastructure."""

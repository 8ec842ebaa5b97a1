"""How do outcomes follow parameters: many points of a parameter space."""

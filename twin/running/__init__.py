"""A run as a folder: start, resume, estimate, the cache of warmed-up worlds."""

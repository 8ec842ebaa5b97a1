"""A run as a folder: start, resume, branch, commands, estimate, the cache of warmed-up worlds."""

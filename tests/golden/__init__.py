"""Readings of a small world, as they were agreed on."""
